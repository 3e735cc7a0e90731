/** The terms that the page uses, folded. */

import {el} from "./dom.js";
import {GLOSSARY} from "./words.js";

export function glossary() {
  const terms = GLOSSARY.flatMap(([term, text]) => [el("dt", {}, term), el("dd", {}, text)]);
  return el(
    "details",
    { class: "glossary" },
    el("summary", {}, "What the words mean"),
    el("dl", {}, ...terms),
  );
}
