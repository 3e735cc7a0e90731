// What OpenAI's npm package makes of a tool of the gateway at argv[2]; argv[3] is the question.
import OpenAI from "openai";

const [, , baseURL, question] = process.argv;
const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const tools = [{ type: "function", name: "weather", strict: true, parameters }];
const shared = { model: "p:srm", tools, include: ["reasoning.encrypted_content"] };

async function streamed(body) {
  const stream = client.responses.stream(body);
  let deltas = "";
  for await (const event of stream)
    if (event.type === "response.function_call_arguments.delta") deltas += event.delta;
  return { ...(await stream.finalResponse()), deltas };
}

const told = {};
for (const [name, ask] of [["whole", (body) => client.responses.create(body)], ["streamed", streamed]]) {
  const input = [{ role: "user", content: question }];
  const first = await ask({ ...shared, input });
  const call = first.output.at(-1);
  const output = `21 degrees in ${JSON.parse(call.arguments).city}`;
  input.push(...first.output, { type: "function_call_output", call_id: call.call_id, output });
  const last = await ask({ ...shared, input });
  told[name] = { text: last.output_text, call, deltas: first.deltas };
}
console.log(JSON.stringify(told));
