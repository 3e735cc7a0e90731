"""Errors of downloads, each in one line with the next step."""

from __future__ import annotations

import errno

from trigreason.engines.base import EngineError
from trigreason.engines.hub.names import HubName


class HubError(EngineError):
    """A model could not be fetched from the hub."""


class HubUnreachable(HubError):
    """The hub does not answer, or the connection broke."""

    transient = True


def explained(error: Exception, name: HubName, page: str, *, has_token: bool) -> HubError:
    """The HubError for an exception of the hub's client. ``page`` is the repository's URL."""
    import httpx2
    from huggingface_hub import errors as hub

    def failed(what: str, advice: str) -> HubError:
        return HubError(what, str(name), advice)

    if isinstance(error, hub.OfflineModeIsEnabled):
        advice = "Unset HF_HUB_OFFLINE and run it again while there is a network."
        return failed("is not in the cache, and HF_HUB_OFFLINE is set", advice)
    if isinstance(error, hub.GatedRepoError):
        token = (
            "the account of your token must have access"
            if has_token
            else "then set HF_TOKEN to a token of that account"
        )
        return failed("is gated", f"Accept its terms at {page}; {token}.")
    if isinstance(error, hub.RevisionNotFoundError):
        return failed(
            f"has no revision {name.revision}", f"See {page}/commits/main, or leave @ out."
        )
    status = error.response.status_code if isinstance(error, hub.HfHubHTTPError) else None
    # without a token, the hub answers 401 for repositories that do not exist or are private
    hidden = status == 401 and not has_token
    if isinstance(error, hub.RepositoryNotFoundError) or hidden:
        advice = (
            "Check the name, and that the token may read it."
            if has_token
            else "Check the name; for a private one set HF_TOKEN."
        )
        return failed("there is no such repository, or it is private", f"{page}: {advice}")
    if isinstance(error, hub.RemoteEntryNotFoundError):
        return failed("the file is no longer there", f"See {page}/tree/{name.revision}.")
    if status in (401, 403):
        advice = "Check HF_TOKEN, or run: hf auth login."
        return failed(f"the hub refuses the token ({status})", advice)
    if status is not None:
        return HubUnreachable(f"the hub answers with {status}", str(name), "Try again later.")
    if isinstance(error, httpx2.HTTPError):
        reason = " ".join(str(error).split()) or type(error).__name__
        return HubUnreachable(
            f"the hub cannot be reached ({reason})",
            str(name),
            "Check the network, the proxy and HF_ENDPOINT; cached models need none of them.",
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        advice = "Make room, or set HF_HOME to another disk, and run it again: it goes on."
        return failed("the disk is full", advice)
    reason = " ".join(str(error).split()) or type(error).__name__
    return failed(f"cannot be fetched ({reason})", "Check the name and the cache folder (HF_HOME).")
