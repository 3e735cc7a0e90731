"""The exported files, GGUF and Hugging Face folder, compute what torch computes."""

# ruff: noqa: E402 (the skips have to come before the imports)

from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest

torch = pytest.importorskip("torch", reason="needs training/requirements.txt")
pytest.importorskip("gguf", reason="needs training/requirements.txt")

from tokenizers import Tokenizer
from torch import Tensor

from training.data import examples, prompt
from training.export import CHAT_TEMPLATE, write_gguf, write_hugging_face
from training.families import FAMILIES
from training.held_out import development
from training.model import Model, Shape
from training.serving import Llama
from training.tokenizer import learn

pytestmark = pytest.mark.slow

VOCAB = 640
PROBLEM = development("web_of_lies")[0]
PROMPT = prompt(PROBLEM.question)


class Exported(NamedTuple):
    model: Model
    tokenizer: Tokenizer
    gguf: Path
    folder: Path


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A random model, its weights rounded to f16 as the files hold them."""
    documents = islice(examples(1, dict.fromkeys(FAMILIES, 1.0)), 500)
    tokenizer = learn((document.text for document in documents), VOCAB)
    torch.manual_seed(0)
    model = Model(Shape(vocab=VOCAB, width=64, layers=2, feed_forward=96))
    with torch.no_grad():
        for parameter in model.parameters():
            spread = parameter.uniform_(0.5, 1.5) if parameter.dim() == 1 else parameter.normal_()
            parameter.copy_((spread if parameter.dim() == 1 else 0.1 * spread).half().float())
    folder = tmp_path_factory.mktemp("exported")
    write_gguf(model, tokenizer, "random", folder / "random.gguf")
    write_hugging_face(model, tokenizer, folder / "random")
    return Exported(model, tokenizer, folder / "random.gguf", folder / "random")


def logprobs(model: Model, ids: list[int]) -> Tensor:
    with torch.no_grad():
        result: Tensor = torch.log_softmax(model.head(model(torch.tensor(ids), [len(ids)])), -1)
    return result


def test_llama_cpp_agrees_with_torch(exported: Exported) -> None:
    steps = PROBLEM.steps
    prompts = [PROMPT + "".join(f"{step}\n\n" for step in steps[:count]) for count in range(4)]
    with Llama(exported.gguf, slots=1) as llama:
        answers = llama.complete(prompts, max_tokens=1, choices=10)
    for text, answer in zip(prompts, answers, strict=True):
        expected = logprobs(exported.model, exported.tokenizer.encode(text).ids)[-1]
        pieces = {piece: exported.tokenizer.encode(piece).ids for piece in answer.first_choices}
        compared = {piece: ids[0] for piece, ids in pieces.items() if len(ids) == 1}
        assert len(compared) >= 3, "all others are halves of characters"
        for piece, token in compared.items():
            assert answer.first_choices[piece] == pytest.approx(expected[token].item(), abs=0.02)


def test_transformers_agrees_with_torch(exported: Exported) -> None:
    transformers = pytest.importorskip("transformers", reason="needs training/requirements.txt")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(
        exported.folder, dtype=torch.float32
    ).eval()
    ids = exported.tokenizer.encode(PROMPT).ids
    with torch.no_grad():
        expected = torch.log_softmax(theirs(torch.tensor([ids])).logits[0], -1)
    torch.testing.assert_close(logprobs(exported.model, ids), expected, atol=1e-3, rtol=1e-3)


def test_the_folder_has_tokenizer_and_template(exported: Exported) -> None:
    transformers = pytest.importorskip("transformers", reason="needs training/requirements.txt")
    tokenizer = transformers.AutoTokenizer.from_pretrained(exported.folder)
    assert tokenizer.chat_template == CHAT_TEMPLATE
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": PROBLEM.question}], tokenize=False, add_generation_prompt=True
    )
    assert rendered == PROMPT
    assert tokenizer(rendered).input_ids == exported.tokenizer.encode(PROMPT).ids
    assert tokenizer.decode(tokenizer("<think>").input_ids, skip_special_tokens=True) == "<think>"


def test_documents_do_not_see_each_other(exported: Exported) -> None:
    first, second = list(range(10, 40)), list(range(50, 90))
    with torch.no_grad():
        together = exported.model(torch.tensor(first + second), [len(first), len(second)])
        alone = exported.model(torch.tensor(second), [len(second)])
    torch.testing.assert_close(together[len(first) :], alone, atol=1e-4, rtol=1e-4)
