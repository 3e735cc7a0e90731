/** The page of recorded runs, which is one file: everything in it is in the file already. */

import {comparison} from "./compare.js";
import {el} from "./dom.js";
import {traceOf} from "./run.js";
import {RunView} from "./runview.js";
import {glossary} from "./glossary.js";
import {LEAD} from "./words.js";

const { runs, titles } = JSON.parse(document.getElementById("data").textContent);

function viewOf({ trace, decisions }) {
  const known = Object.fromEntries(
    Object.entries(titles).filter(([name]) => name in decisions || name === "trigreason"),
  );
  const view = new RunView({
    titles: known,
    decide: async (_, method) => decisions[method].decisions,
  });
  return [view, traceOf(trace)];
}

const main = document.getElementById("main");
const views = runs.map(viewOf);
const traces = views.map(([, trace]) => trace);
const about = views.length === 1 ? "A recorded run." : "Two recorded runs, side by side.";
main.append(
  el("header", { class: "top" }, el("h1", {}, "TrigReason")),
  el("p", { class: "lead" }, `${about} ${LEAD}`),
  ...(views.length > 1 ? [comparison(traces, titles)] : []),
  el("div", { class: views.length > 1 ? "runs two" : "runs" }, ...views.map(([view]) => view.element)),
  glossary(),
);
for (const [view, trace] of views) view.show(trace);
