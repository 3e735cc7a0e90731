// What Vercel's npm packages `ai` and `@ai-sdk/openai` make of a tool of the gateway at argv[2].
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const [, , baseURL, prompt] = process.argv;
const sent = [];
const openai = createOpenAI({
  baseURL,
  apiKey: "none",
  fetch: (url, init) => {
    sent.push(JSON.parse(init.body).input.map((item) => item.type ?? item.role));
    return fetch(url, init);
  },
});
const weather = tool({
  description: "The weather of a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `21 degrees in ${city}`,
});
const shared = {
  model: openai.responses("p:srm"),
  tools: { weather },
  stopWhen: stepCountIs(4),
  maxRetries: 0,
};
const stateless = {
  openai: { store: false, include: ["reasoning.encrypted_content"] },
};

const told = {};
for (const [name, providerOptions] of [["stored", {}], ["stateless", stateless]]) {
  const whole = await generateText({ ...shared, prompt, providerOptions });
  const stream = streamText({ ...shared, prompt, providerOptions });
  let streamed = "";
  for await (const text of stream.textStream) streamed += text;
  const messages = [
    { role: "user", content: prompt },
    ...(await stream.response).messages,
    { role: "user", content: prompt },
  ];
  const again = await generateText({ ...shared, messages, providerOptions });
  told[name] = {
    texts: [whole.text, streamed, again.text],
    calls: whole.steps.flatMap((step) => step.toolCalls).map((call) => call.input),
    finish: [...whole.steps.map((step) => step.finishReason), await stream.finishReason],
    sent: sent.splice(0),
  };
}
console.log(JSON.stringify(told));
