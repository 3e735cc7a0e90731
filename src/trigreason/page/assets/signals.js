/** A step's tokens shaded by their probability, with its hesitation words marked. */

import {el} from "./dom.js";
import {percent} from "./numbers.js";

const LEVELS = [0.9, 0.7, 0.4, 0.1]; // below the nth of these a token has the shade n + 2
const logprobs = new WeakMap();

/** Where the expressions that a record names stand in its text, as [start, end]. */
export function marksIn(text, expressions) {
  if (expressions.length === 0) return [];
  const patterns = expressions.map((expression) =>
    expression
      .split(" ")
      .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("'", "['‘’ʼ＇]"))
      .join("\\s+"),
  );
  const longest = patterns.sort((one, other) => other.length - one.length).join("|");
  const whole = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${longest})(?![\\p{L}\\p{N}_])`, "giu");
  return [...text.matchAll(whole)].map((match) => [match.index, match.index + match[0].length]);
}

/** The tokens of a step with their logprobs; a text that is nobody's token has none. */
export function tokensIn(step) {
  const hasPairs = /[\ud800-\udfff]/.test(step.text);
  const chars = hasPairs ? Array.from(step.text) : step.text; // lengths count code points
  const cut = (start, end) => (hasPairs ? chars.slice(start, end).join("") : chars.slice(start, end));
  const told = step.lengths.reduce((sum, length) => sum + length, 0);
  let at = chars.length - told;
  const pieces = at > 0 ? [{ text: cut(0, at), logprob: null }] : [];
  step.lengths.forEach((length, index) => {
    const logprob = step.logprobs[index] ?? null;
    if (length > 0) pieces.push({ text: cut(at, at + length), logprob });
    at += length;
  });
  return pieces;
}

/** The shade of a token, 0 to 5: 0 is certain (perplexity below τ), 5 is least probable. */
export function shade(logprob, tau) {
  if (logprob === null || Math.exp(-logprob) < tau) return 0;
  const probability = Math.exp(logprob);
  return 1 + LEVELS.filter((bound) => probability < bound).length;
}

/** The text of a step with all its signals, without white space at its end. */
export function painted(step, tau) {
  const fragment = document.createDocumentFragment();
  const marks = marksIn(step.text, step.hesitations);
  const end = step.text.trimEnd().length;
  let at = 0;
  for (const { text, logprob } of tokensIn(step)) {
    const span = el("span", { class: `t s${shade(logprob, tau)}` });
    logprobs.set(span, logprob);
    const shown = text.slice(0, Math.max(0, end - at));
    span.append(...marked(shown, at, marks));
    fragment.append(span);
    at += text.length;
  }
  return fragment;
}

/** A piece of text that begins `at`, cut into text nodes and marks. */
function marked(text, at, marks) {
  const nodes = [];
  let from = 0;
  for (const [start, end] of marks) {
    const begin = Math.max(start - at, from);
    const stop = Math.min(end - at, text.length);
    if (begin >= stop) continue;
    if (begin > from) nodes.push(text.slice(from, begin));
    nodes.push(el("mark", {}, text.slice(begin, stop)));
    from = stop;
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}

/** Tell a token's probability where the pointer rests on it. */
export function explainTokens(element) {
  element.addEventListener("pointerover", (event) => {
    const span = event.target.closest?.(".t");
    const logprob = span ? logprobs.get(span) : null;
    if (logprob === null || logprob === undefined || span.title) return;
    const ppl = Math.exp(-logprob);
    span.title = `probability ${percent(Math.exp(logprob))}, perplexity ${ppl.toFixed(2)}`;
  });
}
