// What OpenAI's npm package makes of the gateway at argv[2], as JSON; argv[3] is the question.
import OpenAI from "openai";

const [, , baseURL, question] = process.argv;
const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
const told = { chat: "", reasoning: "", response: "", responseReasoning: "", events: [] };

const chunks = await client.chat.completions.create({
  model: "bundled",
  messages: [{ role: "user", content: question }],
  seed: 1,
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of chunks) {
  told.chat += chunk.choices[0]?.delta.content ?? "";
  told.reasoning += chunk.choices[0]?.delta.reasoning_content ?? "";
  told.usage = chunk.usage;
  told.account = chunk.trigreason;
}

const stream = client.responses.stream({ model: "bundled", input: question, seed: 1 });
for await (const event of stream) {
  if (told.events.at(-1) !== event.type) told.events.push(event.type);
  if (event.type === "response.output_text.delta") told.response += event.delta;
  if (event.type === "response.reasoning_text.delta") told.responseReasoning += event.delta;
}
told.final = (await stream.finalResponse()).output_text;

try {
  await client.chat.completions.create({ model: "unknown", messages: [] });
} catch (error) {
  told.error = error.constructor.name;
}
console.log(JSON.stringify(told));
