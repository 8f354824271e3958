"""Other wordings of texts as vectors: read as the texts are, or not at all."""

import torch

from trefoil.encoders.text.encoder import TextEncoder, Whitening
from trefoil.fusion.features.wordings import wordings_of
from trefoil.fusion.settings.branches import Text

SAID = ["ocean storm", "desert camel", "winter forest", "city night", None]


def test_wordings_that_the_encoder_cannot_read_are_the_texts_as_they_stand(tmp_path):
    """Half of all words give way to a sign that no token stands for."""
    words = sorted(word for text in SAID if text for word in text.split())
    (tmp_path / "synonyms.txt").write_text("".join(f"{one}, \ua66e\n" for one in words), "utf-8")
    part = Text(wordings=2, word_dropout=0.0, synonyms=str(tmp_path / "synonyms.txt"))
    encoder = TextEncoder("minilm", cache=tmp_path)
    raw, warnings = encoder.encode(SAID)
    assert warnings == []
    whitening = Whitening.fit(raw, 3)
    items = whitening(raw)
    found = wordings_of(SAID, items, encoder, whitening, part, 0)
    assert found is not None
    assert torch.equal(found, items.vectors.expand(2, -1, -1))
