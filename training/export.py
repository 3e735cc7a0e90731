"""Write a checkpoint as GGUF (llama.cpp) and as a Hugging Face folder (vLLM, SGLang, Transformers).

`python -m training.export CHECKPOINT --gguf FILE --hf FOLDER`
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import gguf
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from training.model import HEAD_DIM, NORM_EPS, ROPE_THETA, Model, Shape
from training.tokenizer import END, PAD, SPECIAL, TEXTUAL, load

# As Qwen3's thinking models do, the generation prompt opens the thinking.
CHAT_TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}{%- endif %}"
)


def read_checkpoint(path: Path) -> Model:
    """The model of a training checkpoint, ready to evaluate."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    model = Model(Shape(**state["shape"]))
    model.load_state_dict(state["model"])
    return model.eval()


def split_weights(model: Model) -> dict[str, Tensor]:
    """The weights under `Qwen3ForCausalLM`'s names, stacked matrices cut apart."""
    weights = {
        "model.embed_tokens.weight": model.embedding.weight,
        "model.norm.weight": model.norm,
        "lm_head.weight": model.head.weight,
    }
    for index, layer in enumerate(model.layers):
        own = dict(layer.named_parameters())
        q, k, v = own["attention.qkv.weight"].chunk(3)
        gate, up = own["gate_up.weight"].chunk(2)
        parts = {
            "input_layernorm": own["attention_norm"],
            "self_attn.q_proj": q,
            "self_attn.k_proj": k,
            "self_attn.v_proj": v,
            "self_attn.o_proj": own["attention.out.weight"],
            "self_attn.q_norm": own["attention.q_norm"],
            "self_attn.k_norm": own["attention.k_norm"],
            "post_attention_layernorm": own["feed_forward_norm"],
            "mlp.gate_proj": gate,
            "mlp.up_proj": up,
            "mlp.down_proj": own["down.weight"],
        }
        weights |= {f"model.layers.{index}.{name}.weight": part for name, part in parts.items()}
    return {name: weight.detach().clone() for name, weight in weights.items()}


GGUF_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
}


def gguf_name(name: str) -> str:
    if name.startswith("model.layers."):
        _, _, index, part = name.removesuffix(".weight").split(".", 3)
        return f"blk.{index}.{GGUF_NAMES[part]}.weight"
    return f"{GGUF_NAMES[name.removesuffix('.weight')]}.weight"


def write_gguf(model: Model, tokenizer: Tokenizer, name: str, path: Path) -> None:
    """A GGUF file of architecture qwen3: f16 matrices, f32 norms, the chat template inside."""
    shape = model.shape
    temporary = path.with_suffix(".part")
    writer = gguf.GGUFWriter(temporary, "qwen3")
    writer.add_name(name)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_key_length(HEAD_DIM)
    writer.add_value_length(HEAD_DIM)
    writer.add_rope_freq_base(ROPE_THETA)
    writer.add_layer_norm_rms_eps(NORM_EPS)
    writer.add_vocab_size(shape.vocab)

    vocabulary = {index: token for token, index in tokenizer.get_vocab().items()}
    tokens = [vocabulary[index] for index in range(shape.vocab)]
    kinds = dict.fromkeys(SPECIAL, gguf.TokenType.CONTROL)
    kinds |= dict.fromkeys(TEXTUAL, gguf.TokenType.USER_DEFINED)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([kinds.get(token, gguf.TokenType.NORMAL) for token in tokens])
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_eos_token_id(tokens.index(END))
    writer.add_pad_token_id(tokens.index(PAD))
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)

    for key, weight in split_weights(model).items():
        stored = weight.half() if weight.dim() == 2 else weight
        writer.add_tensor(gguf_name(key), stored.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    temporary.replace(path)


def write_hugging_face(model: Model, tokenizer: Tokenizer, folder: Path) -> None:
    """A folder for `AutoModelForCausalLM` and `AutoTokenizer`; weights in f16, as in the GGUF."""
    shape = model.shape
    folder.mkdir(parents=True, exist_ok=True)
    end, pad = tokenizer.token_to_id(END), tokenizer.token_to_id(PAD)
    ids = {"eos_token_id": end, "pad_token_id": pad}
    config = {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "vocab_size": shape.vocab,
        "hidden_size": shape.width,
        "intermediate_size": shape.feed_forward,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "head_dim": HEAD_DIM,
        "hidden_act": "silu",
        "max_position_embeddings": shape.context,
        "rms_norm_eps": NORM_EPS,
        "rope_theta": ROPE_THETA,
        "rope_parameters": {"rope_type": "default", "rope_theta": ROPE_THETA},
        "attention_bias": False,
        "attention_dropout": 0.0,
        "tie_word_embeddings": False,
        "use_sliding_window": False,
        "torch_dtype": "float16",
        **ids,
    }
    added = {
        str(tokenizer.token_to_id(token)): {
            "content": token,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": token in SPECIAL,
        }
        for token in SPECIAL + TEXTUAL
    }
    tokenizer_config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "added_tokens_decoder": added,
        "eos_token": END,
        "pad_token": PAD,
        "model_max_length": shape.context,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    _write_json(folder / "config.json", config)
    _write_json(folder / "generation_config.json", {"do_sample": False, **ids})
    _write_json(folder / "tokenizer_config.json", tokenizer_config)
    tokenizer.save(str(folder / "tokenizer.json"))
    weights = {name: weight.half() for name, weight in split_weights(model).items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument(
        "--tokenizer", type=Path, default=Path(__file__).parent / "runs/tokenizer.json"
    )
    parser.add_argument("--gguf", type=Path)
    parser.add_argument("--hf", type=Path)
    arguments = parser.parse_args()
    model, tokenizer = read_checkpoint(arguments.checkpoint), load(arguments.tokenizer)
    if arguments.gguf:
        write_gguf(model, tokenizer, f"TrigReason {arguments.gguf.stem}", arguments.gguf)
    if arguments.hf:
        write_hugging_face(model, tokenizer, arguments.hf)


if __name__ == "__main__":
    main()
