// What Vercel's npm package `ai` makes of a tool of the gateway at argv[2], by its two providers.
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const [, , baseURL, prompt] = process.argv;
const sent = [];
const provided = {
  baseURL,
  apiKey: "none",
  name: "trigreason",
  fetch: (url, init) => {
    const body = JSON.parse(init.body);
    sent.push((body.input ?? body.messages).map((each) => each.type ?? each.role));
    return fetch(url, init);
  },
};
const responses = createOpenAI(provided).responses("p:srm");
const chat = createOpenAICompatible(provided).chatModel("p:srm");
const weather = tool({
  description: "The weather of a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `21 degrees in ${city}`,
});
const shared = { tools: { weather }, stopWhen: stepCountIs(4), maxRetries: 0 };
const stateless = {
  openai: { store: false, include: ["reasoning.encrypted_content"] },
};

const told = {};
for (const [name, model, providerOptions] of [
  ["stored", responses, {}],
  ["stateless", responses, stateless],
  ["chat", chat, {}],
]) {
  const how = { ...shared, model, providerOptions };
  const whole = await generateText({ ...how, prompt });
  const stream = streamText({ ...how, prompt });
  let streamed = "";
  for await (const text of stream.textStream) streamed += text;
  const messages = [
    { role: "user", content: prompt },
    ...(await stream.response).messages,
    { role: "user", content: prompt },
  ];
  const again = await generateText({ ...how, messages });
  told[name] = {
    texts: [whole.text, streamed, again.text],
    calls: whole.steps.flatMap((step) => step.toolCalls).map((call) => call.input),
    finish: [...whole.steps.map((step) => step.finishReason), await stream.finishReason],
    sent: sent.splice(0),
  };
}
console.log(JSON.stringify(told));
