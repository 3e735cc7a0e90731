"""Advice for findings that are not good, specific to the server where possible."""

from __future__ import annotations

from dataclasses import replace

from trigreason.engines.probing.facts import ServerKind
from trigreason.engines.probing.report import Finding, State, Topic

_ANY = ServerKind.UNKNOWN

_SAY_HOW_IT_THINKS = (
    'Say so in trigreason.toml: thinking = "open" (no tags), or the tag that opens it.'
)

_WHERE_NO: dict[Topic, dict[ServerKind, str]] = {
    Topic.THINKING: {_ANY: _SAY_HOW_IT_THINKS},
    Topic.STEPS: {_ANY: "Triggers only act when a step ends: lower --step-tokens."},
    Topic.PREFIX: {
        ServerKind.OLLAMA: "Its /v1/completions puts a template around the text: --dialect ollama.",
        _ANY: "Try another --dialect: raw completions, or this API's way of continuing a message.",
    },
    Topic.STREAMS: {
        ServerKind.SGLANG: "Start it with --stream-interval 1; let no proxy in between buffer.",
        _ANY: "Let no proxy in between buffer (nginx: proxy_buffering off).",
    },
    Topic.LOGPROBS: {
        ServerKind.VLLM: "Start it with --max-logprobs 20, or switch the offload off (--rho 1).",
        ServerKind.OLLAMA: "Ollama returns logprobs from 0.12.11 on, with --dialect ollama.",
        _ANY: "As the SRM take a server with logprobs (vLLM, SGLang, llama.cpp, Ollama), "
        "or switch the offload off (--rho 1).",
    },
    Topic.COMPLETE: {
        _ANY: "Such tokens are left out of r; if most are, take another server for the SRM.",
    },
    Topic.RAW: {
        ServerKind.VLLM: "Start it with --logprobs-mode raw_logprobs; else they are converted.",
        ServerKind.SGLANG: "Set SGLANG_RETURN_ORIGINAL_LOGPROB=1 for it; else they are converted.",
        _ANY: "They are converted, from the alternatives that come with them.",
    },
    Topic.SEED: {
        ServerKind.SGLANG: "Start it with --enable-deterministic-inference.",
        _ANY: "Runs cannot be repeated exactly; there is no other effect.",
    },
    Topic.STOP: {
        _ANY: "TrigReason still cuts the steps; a single step then costs more than its tokens.",
    },
    Topic.CLOSING: {
        _ANY: "Each handover pays for text that nobody reads: ask for short steps "
        "(--step-tokens), or update the server.",
    },
    Topic.CACHE: {
        ServerKind.VLLM: "Start it with --enable-prompt-tokens-details.",
        ServerKind.SGLANG: "Start it with --enable-cache-report.",
        _ANY: "Without the count, cached input is priced as if it were new.",
    },
    Topic.QUESTION: {
        _ANY: "Give the server a chat template that reads a message's content as plain text, or "
        "take a --dialect with raw completions, whose prompt is rendered here.",
    },
    Topic.CONTEXT: {
        ServerKind.VLLM: "Raise --max-model-len, or lower --thinking-tokens.",
        ServerKind.SGLANG: "Raise --context-length, or lower --thinking-tokens.",
        ServerKind.LLAMA_CPP: "Raise --ctx-size, or lower --thinking-tokens.",
        ServerKind.OLLAMA: "Raise OLLAMA_CONTEXT_LENGTH, or lower --thinking-tokens.",
        _ANY: "Lower --thinking-tokens.",
    },
}

_WHERE_UNKNOWN: dict[Topic, dict[ServerKind, str]] = {
    Topic.TEMPLATE: {
        ServerKind.VLLM: "Start it with --enable-tokenizer-info-endpoint, or name the template in "
        "trigreason.toml (template = …).",
        _ANY: "Name it in trigreason.toml: template = a built-in one, a Jinja file, or the model's "
        "folder or GGUF file.",
    },
    Topic.THINKING: {_ANY: _SAY_HOW_IT_THINKS},
    Topic.CLOSING: {ServerKind.LLAMA_CPP: "Start it with --slots or --metrics to see it."},
    Topic.CONTEXT: {ServerKind.OLLAMA: "Its default can be 4,096: set OLLAMA_CONTEXT_LENGTH."},
}

_WHERE_YES: dict[Topic, dict[ServerKind, str]] = {
    Topic.REACHABLE: {
        ServerKind.OLLAMA: "It answers one request at a time: for several runs at once raise "
        "OLLAMA_NUM_PARALLEL.",
    },
}

_WHERE_UNCACHED = {
    ServerKind.VLLM: "Start it with --enable-prefix-caching.",
    ServerKind.SGLANG: "Start it without --disable-radix-cache.",
    ServerKind.LLAMA_CPP: "Start it without --no-cache-prompt.",
}


def advised(finding: Finding, kind: ServerKind) -> Finding:
    """The finding, with advice if it has none and there is some."""
    if finding.advice is not None:
        return finding
    tables = {State.YES: _WHERE_YES, State.NO: _WHERE_NO, State.UNKNOWN: _WHERE_UNKNOWN}
    table = tables[finding.state].get(finding.topic, {})
    return replace(finding, advice=table.get(kind) or table.get(_ANY))


def advised_uncached(finding: Finding, kind: ServerKind) -> Finding:
    """The finding of a server that reports cached tokens and reported 0, with advice."""
    anywhere = "Its prefix cache is off or too small: every handover prefills the whole text again."
    return replace(finding, advice=_WHERE_UNCACHED.get(kind, anywhere))
