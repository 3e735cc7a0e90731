/** The page that the gateway serves: which part is shown, the key, and how the parts meet. */

import {Ask} from "./ask.js";
import {getJson, key, postJson} from "./client.js";
import {glossary} from "./glossary.js";
import {Runs} from "./runs.js";
import {RunView} from "./runview.js";
import {Settings} from "./settings.js";
import {LEAD} from "./words.js";

const byId = (id) => document.getElementById(id);
const settings = new Settings();
const runs = new Runs(makeView, () => settings.titles, tellProblem);
new Ask(settings, makeView, (trace, id) => runs.add(trace, id), askForKey);

function makeView() {
  return new RunView({
    titles: settings.titles,
    decide: decisionsOf,
    link: (id) => (runs.isStored(id) ? `#run=${id}` : null),
  });
}

/** Python's decisions of a method on a trace, from the gateway's replay. */
async function decisionsOf(trace, method) {
  const steps = trace.steps.map((step) => ({ ...step, lengths: [] }));
  const slim = { ...trace, steps, stretches: [], totals: {} }; // the replay needs no more
  return (await postJson("/v1/traces/replay", { trace: slim, method })).decisions;
}

function tellProblem(text) {
  byId("problem").hidden = !text;
  byId("problem").textContent = text ?? "";
}

/** Ask for a key; `why` says what is wrong with the last one. */
function askForKey(why) {
  byId("key-problem").hidden = !key.get();
  byId("key-problem").textContent = key.get() ? why : "";
  if (!byId("key-dialog").open) byId("key-dialog").showModal();
}

async function load() {
  try {
    const served = await getJson("/v1/pairs");
    settings.fill(served.data);
    runs.keeps = served.keeps_traces;
    tellProblem(null);
    byId("forget-key").hidden = !key.get();
    await route();
  } catch (error) {
    if (error.needsKey) askForKey(error.message);
    else tellProblem(error.message);
  }
}

/** Show the part of the page that the address names: #ask, #runs, or #run=ID or ID,ID. */
async function route() {
  const [part, ids] = location.hash.slice(1).split("=");
  const isRuns = part === "runs" || part === "run";
  byId("ask").hidden = isRuns;
  byId("runs").hidden = !isRuns;
  for (const [link, isHere] of [["to-ask", !isRuns], ["to-runs", isRuns]]) {
    if (isHere) byId(link).setAttribute("aria-current", "page");
    else byId(link).removeAttribute("aria-current");
  }
  if (!isRuns) return;
  try {
    await runs.refresh();
    if (part === "run" && ids) await runs.show(ids.split(",").map(decodeURIComponent));
  } catch (error) {
    if (error.needsKey) askForKey(error.message);
    else tellProblem(error.message);
  }
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key.set(byId("key").value.trim());
  byId("key").value = "";
  byId("key-dialog").close();
  load();
});
byId("forget-key").addEventListener("click", () => {
  key.forget();
  location.reload();
});
byId("lead").textContent = LEAD;
byId("words").append(glossary());
addEventListener("hashchange", route);
load();
