// What Anthropic's npm package makes of the gateway at argv[2], as JSON; argv[3] is the question.
import Anthropic from "@anthropic-ai/sdk";

const [, , baseURL, question] = process.argv;
const client = new Anthropic({ baseURL, apiKey: "none", maxRetries: 0 });
const told = { text: "", thinking: "", events: [] };
const turn = { role: "user", content: question };
const request = { model: "bundled", max_tokens: 4096, messages: [turn], seed: 1 };
const thinking = { type: "enabled", budget_tokens: 4000 };

const stream = client.messages.stream({ ...request, thinking });
for await (const event of stream) {
  if (told.events.at(-1) !== event.type) told.events.push(event.type);
  if (event.type !== "content_block_delta") continue;
  if (event.delta.type === "text_delta") told.text += event.delta.text;
  if (event.delta.type === "thinking_delta") told.thinking += event.delta.thinking;
}
const final = await stream.finalMessage();
told.final = final.content.map(({ type, thinking, signature, text }) =>
  type === "thinking" ? { type, thinking, signature } : { type, text },
);
told.id = final.id;
told.stop = final.stop_reason;
told.read = final.usage.input_tokens + final.usage.cache_read_input_tokens;
told.tokens = (await client.messages.countTokens({ model: "bundled", messages: [turn] })).input_tokens;

const messages = [turn, { role: "assistant", content: final.content }, turn];
told.again = (await client.messages.create({ ...request, messages })).stop_reason;

try {
  await client.messages.create({ ...request, model: "unknown" });
} catch (error) {
  told.error = [error.constructor.name, error.error?.error?.type];
}
console.log(JSON.stringify(told));
