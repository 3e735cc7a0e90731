"""What a model writes is text on the page, whatever it looks like; and the page is accessible."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gateway.client import Client, asked_gateway
from tests.gateway.scripted import pair_toml, scripted
from tests.page.browsing import MISSING, ask, finished, opened, shown
from tests.scripted_server import Reply, Said, say
from trigreason.bundled import problems

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
MARKUP = '<img src=x onerror="document.title=1"><b>bold</b><script>document.title=2</script>'
TRICKS = [
    r"$\href{javascript:document.title=3}{click}$",
    r"$\htmlStyle{position:fixed}{x}$",
    r"$\includegraphics{https://example.org/a.png}$",
    r"$\class{card}{x}$ $\id{main}{x}$",
    r"$\def\a{\a\a}\a$",
    r"$\text{<img src=x onerror=document.title=4>}$",
    r"$\unknownmacro{$ $\frac{1}$",
]
TYPESET = """async (text) => {
  const { typeset, formulasIn } = await import("/page/math.js");
  const place = document.createElement("div");
  place.append(typeset(text));
  document.body.append(place);
  const elements = [...place.querySelectorAll("*")].map((each) => each.localName);
  const attributes = [...place.querySelectorAll("*")].flatMap((each) => each.getAttributeNames());
  return {
    elements, attributes, text: place.textContent,
    sources: formulasIn(text).map(({ source }) => source),
    height: place.getBoundingClientRect().height,
  };
}"""


async def test_markup_and_links_of_a_model_are_text(chromium: Any, tmp_path: Path) -> None:
    tricks = "\n".join(TRICKS)
    thought = f"{MARKUP}\n\nWait, {MARKUP}\n\n"
    reply = say(f"{thought}</think>{MARKUP} {tricks}")
    toml = pair_toml("URL") + "[pairs.p.thresholds]\nn = 0\nrho = 1\n"
    async with (
        scripted(lambda _: reply) as server,
        asked_gateway(tmp_path, toml.replace("URL", server.url)) as client,
        opened(chromium, client.url) as page,
    ):
        await ask(page, MARKUP)
        await finished(page)
        await page.get_by_role("button", name="Signals").click()
        await page.locator(".step .t").first.wait_for()
        assert await page.title() == "TrigReason"
        for tag in ("img", "b", "script", "a"):
            assert await page.locator(f".text {tag}, .question {tag}").count() == 0
        answer = await page.locator(".answer .text").inner_text()
        assert answer.startswith(MARKUP)
        assert r"\href{javascript:document.title=3}{click}" in answer
        assert await page.locator(".question").inner_text() == MARKUP
        texts = await page.locator(".step .text").all_text_contents()
        assert texts[0] == MARKUP


async def test_mathematics_is_typeset_and_nothing_else(chromium: Any, client: Client) -> None:
    async with opened(chromium, client.url) as page:
        await page.locator("#pair option").first.wait_for(state="attached")
        told = await page.evaluate(TYPESET, r"So $x^2$ and \[\frac{a}{b}\] give \boxed{\sqrt{2}}.")
        assert {"math", "msup", "mfrac", "msqrt"} <= set(told["elements"])
        assert told["sources"] == ["$x^2$", r"\[\frac{a}{b}\]", r"\boxed{\sqrt{2}}"]
        for trick in TRICKS[:5]:
            told = await page.evaluate(TYPESET, trick)
            assert not {"href", "src", "id", "onerror"} & set(told["attributes"])
            assert not {"a", "img", "script"} & set(told["elements"])
            assert told["text"] == trick, "the LaTeX itself is shown"
        assert await page.title() == "TrigReason"
        huge = await page.evaluate(TYPESET, r"$\rule{9999em}{9999em}\kern{9999em}x$")
        assert huge["height"] < 2000


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("It costs $5 and $10 today.", []),
        ("It is $5$ or $x$.", ["$5$", "$x$"]),
        (r"Escaped \$x\$ stays.", []),
        ("`$x$` and ```\n$y$\n``` are code", []),
        (r"\boxed{(A)} or \boxed{a{b}c}", [r"\boxed{(A)}", r"\boxed{a{b}c}"]),
        (r"\boxed{never closed", []),
        ("$$a\nb$$", ["$$a\nb$$"]),
        (r"\begin{align}a&=b\end{align}", [r"\begin{align}a&=b\end{align}"]),
        (r"\(a\) \[b\]", [r"\(a\)", r"\[b\]"]),
    ],
)
async def test_what_counts_as_a_formula(
    chromium: Any, client: Client, text: str, sources: list[str]
) -> None:
    async with opened(chromium, client.url) as page:
        await page.locator("#pair option").first.wait_for(state="attached")
        told = await page.evaluate(TYPESET, text)
        assert told["sources"] == sources
        if not sources:
            assert told["text"] == text
            assert told["elements"] == []


async def test_tokens_are_shaded_and_hesitation_is_marked(chromium: Any, tmp_path: Path) -> None:
    tokens = [
        *(Said("Sure", -0.01), Said(" likely", -0.2), Said(" odd", -3.0), Said(".\n\n", -0.01)),
        *(Said("Hm", -0.5), Said("m", -0.5), Said(", not", -0.5), Said(" sure", -0.5)),
        *(Said(" 👍 x", -0.5), Said(".\n\n", -0.01), Said("</think>"), Said("Done.")),
    ]
    toml = pair_toml("URL") + "[pairs.p.thresholds]\nn = 0\nrho = 1\n"
    async with (
        scripted(lambda _: Reply(tokens)) as server,
        asked_gateway(tmp_path, toml.replace("URL", server.url)) as client,
        opened(chromium, client.url) as page,
    ):
        await ask(page, "?")
        await finished(page)
        await page.get_by_role("button", name="Signals").click()
        await page.locator(".step .t").first.wait_for()
        first, second = page.locator(".step").nth(0), page.locator(".step").nth(1)
        shades = [await each.get_attribute("class") for each in await first.locator(".t").all()]
        assert shades == ["t s0", "t s2", "t s5", "t s0"]
        marks = await second.locator("mark").all_text_contents()
        assert "".join(marks) == "Hmmnot sure"
        assert await second.locator(".text").inner_text() == "Hmm, not sure 👍 x."
        assert f"r = {shown(0.5)}" in await first.locator(".facts").inner_text()
        assert "hesitates: hmm, not sure" in await second.locator(".facts").inner_text()
        await first.locator(".t").nth(2).hover()
        title = await first.locator(".t").nth(2).get_attribute("title")
        assert title == f"probability {shown(0.05)}, perplexity 20.09"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_serious_fault(chromium: Any, client: Client, scheme: str) -> None:
    axe: Any = pytest.importorskip("axe_playwright_python.async_playwright", reason=MISSING)
    async with opened(chromium, client.url, color_scheme=scheme) as page:
        await page.locator("#pair option").first.wait_for(state="attached")
        await page.select_option("#beside", "lrm")
        await page.click("#thresholds summary")
        await page.locator(".glossary summary").click()
        await ask(page, problems()[0].question)
        await finished(page, 2)
        await page.get_by_role("button", name="Signals").first.click()
        await page.get_by_role("button", name="What if").first.click()
        panel = page.get_by_role("region", name="What if")
        await panel.get_by_label("ρ, offload", exact=True).fill("1")
        await page.locator(".step .t").first.wait_for()
        check(await axe.Axe().run(page))
        await page.click("#to-runs")
        await page.get_by_role("table").first.wait_for()
        check(await axe.Axe().run(page))


def check(found: Any) -> None:
    """No fault that axe calls serious or critical."""
    faults = [
        (each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in found.response["violations"]
        if each["impact"] in ("serious", "critical")
    ]
    assert faults == []
    assert found.response["passes"], "it looked at something"
