/** Two runs in numbers, side by side. */

import {el} from "./dom.js";
import {count, percent, seconds, usd} from "./numbers.js";
import {tokensOf} from "./run.js";

const ROWS = [
  ["Thinking tokens", ({ tokens }) => count(tokens.srm + tokens.lrm)],
  ["  by the SRM (SMT)", ({ tokens }) => share(tokens)],
  ["Tokens that the LRM wrote", ({ trace }) => count(written(trace, "lrm"))],
  ["Tokens that the SRM wrote", ({ trace }) => count(written(trace, "srm"))],
  ["Drafts (their tokens)", ({ tokens }) => `${count(tokens.drafts)} (${count(tokens.draftTokens)})`],
  ["Requests to the LRM", ({ trace }) => count(requests(trace, "lrm"))],
  ["Time", ({ trace }) => seconds(trace.seconds)],
  ["Cost", ({ trace }) => usd(trace.totals?.usd)],
];

/** A table with a column per trace; `titles` are methods' titles by name. */
export function comparison(traces, titles) {
  const runs = traces.map((trace) => ({ trace, tokens: tokensOf(trace.steps) }));
  const head = traces.map(({ method }) => el("th", { scope: "col" }, titles[method] ?? method));
  const body = ROWS.map(([name, cell]) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", class: name.startsWith(" ") ? "inner" : null }, name.trim()),
      ...runs.map((run) => el("td", {}, cell(run))),
    ),
  );
  const table = el(
    "table",
    {},
    el("caption", { class: "hidden" }, "The two runs in numbers"),
    el("thead", {}, el("tr", {}, el("td"), ...head)),
    el("tbody", {}, ...body),
  );
  return el("div", { class: "card comparison" }, table);
}

function share({ srm, lrm }) {
  return srm + lrm ? percent(srm / (srm + lrm)) : "–";
}

function written(trace, author) {
  const of = trace.stretches.filter((stretch) => stretch.author === author);
  return of.reduce((sum, stretch) => sum + stretch.completion_tokens, 0);
}

function requests(trace, author) {
  return trace.stretches.filter((stretch) => stretch.author === author).length;
}
