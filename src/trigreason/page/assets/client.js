/** Requests to the gateway, with the key if it needs one. */

const KEY = "trigreason.key";

/** An error that the gateway or the connection reported. */
export class RequestFailed extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }

  /** Whether the gateway wants a key, or another one. */
  get needsKey() {
    return this.status === 401;
  }
}

/** The key that was entered in this tab; it is kept in the session's storage and nowhere else. */
export const key = {
  get: () => sessionStorage.getItem(KEY),
  set: (text) => sessionStorage.setItem(KEY, text),
  forget: () => sessionStorage.removeItem(KEY),
};

/** The JSON of a response. Throws RequestFailed. */
export async function getJson(path) {
  return (await request(path, {})).json();
}

/** The JSON of the response to a JSON body. Throws RequestFailed. */
export async function postJson(path, body, signal) {
  return (await request(path, posted(body, signal))).json();
}

/**
 * The events of a stream, as JSON values. Aborting `signal` closes the connection, which stops the
 * models. Throws RequestFailed, or an AbortError.
 */
export async function* events(path, body, signal) {
  const response = await request(path, posted(body, signal));
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of chunksOf(response.body)) {
    rest += decoder.decode(bytes, { stream: true });
    const parts = rest.split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      if (!part.startsWith("data: ") || part === "data: [DONE]") continue;
      const value = JSON.parse(part.slice(6));
      if (value.error) throw new RequestFailed(value.error.message);
      yield value;
    }
  }
}

async function* chunksOf(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function posted(body, signal) {
  const headers = { "content-type": "application/json" };
  return { method: "POST", body: JSON.stringify(body), headers, signal };
}

async function request(path, how) {
  const shown = key.get();
  const headers = { ...how.headers, ...(shown ? { authorization: `Bearer ${shown}` } : {}) };
  let response;
  try {
    response = await fetch(path, { ...how, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestFailed("The gateway does not answer. Is `trigreason serve` still running?");
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => null);
  const message = told?.error?.message ?? `The gateway answered with status ${response.status}.`;
  throw new RequestFailed(message, response.status);
}
