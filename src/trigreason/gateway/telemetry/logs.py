"""The gateway's log: one line per request, as JSON, or in plain words on a terminal.

Prompts, answers and secrets are not logged, unless ``log_texts`` is set; exception messages
neither, because they often quote the input that failed.
"""

from __future__ import annotations

import json
import logging
import math
import sys
from collections import Counter
from datetime import UTC, datetime
from time import monotonic
from traceback import extract_tb
from typing import Any

from trigreason.gateway.exchange import Exchange
from trigreason.reasoning import Author

_logger = logging.getLogger("trigreason.gateway")

_FACTS = "trigreason_facts"
"""The attribute of a log record that holds a request's facts."""


def configure_logging(log_texts: bool) -> None:
    """Log to stderr in this module's format, at ``INFO`` for the gateway and for model downloads.

    uvicorn's access log is disabled: the gateway's line per request says more.
    """
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old.formatter, JsonLines)]:
        root.removeHandler(old)
    handler = logging.StreamHandler(sys.stderr)
    kind = Words if sys.stderr.isatty() else JsonLines
    handler.setFormatter(kind(log_texts))
    root.addHandler(handler)
    for name in ("trigreason.gateway", "trigreason.hub"):
        logging.getLogger(name).setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True


def ended(exchange: Exchange, *, with_texts: bool) -> None:
    """Log an exchange that is over."""
    facts = _facts(exchange)
    if with_texts:
        facts["runs"] = [
            {
                "messages": [[message.role, message.content] for message in trace.messages],
                "answer": trace.answer,
            }
            for trace in exchange.traces
        ]
    _logger.info("request", extra={_FACTS: facts})


class Refusals:
    """Logs requests that never became exchanges, at a limited rate.

    Each address has ``LINES`` lines per ``SECONDS``, and all together have ten times as many. The
    next line after that says how many were left out (``untold``).
    """

    LINES = 10
    SECONDS = 10.0

    def __init__(self) -> None:
        self._since = -math.inf
        self._logged: Counter[str] = Counter()
        self._left_out = 0

    def log(self, reason: str, source: str, key: str | None, request_id: str = "") -> None:
        """``key`` is the id that the request sent, whether or not such a key exists."""
        now = monotonic()
        if now - self._since >= self.SECONDS:
            self._since = now
            self._logged.clear()
        if self._logged[source] >= self.LINES or self._logged.total() >= 10 * self.LINES:
            self._left_out += 1
            return
        self._logged[source] += 1
        facts = {
            "reason": reason,
            "source": source,
            "key": key,
            "request_id": request_id,
            "untold": self._left_out,
        }
        self._left_out = 0
        _logger.info("refused", extra={_FACTS: facts})


def _facts(exchange: Exchange) -> dict[str, Any]:
    cost = exchange.spent
    return {
        "id": exchange.id,
        "request_id": exchange.request_id,
        "key": exchange.key.id if exchange.key else None,
        "source": exchange.source,
        "api": exchange.api.value,
        "pair": exchange.choice.pair,
        "method": exchange.choice.method,
        "streamed": exchange.streamed,
        "outcome": exchange.outcome,
        "error": exchange.error,
        "seconds": round(exchange.seconds, 6),
        "queued_seconds": round(exchange.queued_seconds, 6),
        "tokens": {
            "prompt": exchange.prompt.tokens,
            "cached": exchange.cached_tokens,
            "reasoning": exchange.reasoning_tokens,
            "answer": exchange.answer_tokens,
            "draft": exchange.draft_tokens,
            "srm": exchange.generated(Author.SRM),
            "lrm": exchange.generated(Author.LRM),
        },
        "prompt_is_estimate": exchange.prompt.is_estimate,
        "lrm_requests": exchange.requests(Author.LRM),
        "degraded": exchange.degraded,
        "usd": cost.usd,
        "usd_is_estimate": cost.is_estimate,
    }


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON that includes a request's facts."""

    def __init__(self, log_texts: bool) -> None:
        super().__init__()
        self._log_texts = log_texts

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= getattr(record, _FACTS, {})
        if (trouble := self.trouble(record)) is not None:
            fields["exception"] = trouble
        return json.dumps(fields, ensure_ascii=False, default=str)

    def trouble(self, record: logging.LogRecord) -> str | None:
        """A record's exception: in full with ``log_texts``, otherwise its class and its lines."""
        if record.exc_info is None or record.exc_info[1] is None:
            return None
        if self._log_texts:
            return self.formatException(record.exc_info)
        error = record.exc_info[1]
        frames = [f"{frame.filename}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
        return " < ".join([type(error).__name__, *reversed(frames)])


class Words(JsonLines):
    """Formats a record as plain words for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        clock = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        facts = getattr(record, _FACTS, None)
        message = record.getMessage() if facts is None else _in_words(facts)
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        trouble = self.trouble(record)
        return f"{clock} {level}{message}" + (f"\n{trouble}" if trouble else "")


def _in_words(facts: dict[str, Any]) -> str:
    if "reason" in facts:
        key = f" with key {facts['key']}" if facts["key"] else ""
        more = f" ({facts['untold']} others were not logged)" if facts["untold"] else ""
        return f"refused: {facts['reason']}, from {facts['source']}{key}{more}"
    tokens = facts["tokens"]
    usd = "? USD" if facts["usd"] is None else f"{facts['usd']:.6f} USD"
    usd = f"about {usd}" if facts["usd_is_estimate"] else usd
    parts = [
        f"{facts['id']} {facts['api']} {facts['pair']}:{facts['method']} {facts['outcome']}",
        f"{facts['seconds']:.2f} s",
        f"{tokens['reasoning'] + tokens['answer']} tokens ({tokens['draft']} drafted)",
        usd,
    ]
    parts += [f"from {facts['key'] or facts['source']}"]
    parts += ["degraded"] if facts["degraded"] else []
    parts += [facts["error"]] if facts["error"] else []
    line = ", ".join(parts)
    for run in facts.get("runs", ()):
        line += "".join(f"\n  {role}: {content}" for role, content in run["messages"])
        line += f"\n  answer: {run['answer']}"
    return line
