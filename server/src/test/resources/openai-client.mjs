// drives the service with OpenAI's own client; prints one JSON object
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: process.argv[3], maxRetries: 0 });
const models = await client.models.list();
const model = models.data[0].id;
const question = "The pass key is 48213. Remember it. The fox finds the old tower. What is the pass key?";
const whole = await client.chat.completions.create({
  model,
  messages: [{ role: "user", content: question }],
  max_tokens: 16,
});
let streamed = "";
let usage = null;
const stream = await client.chat.completions.create({
  model,
  messages: [{ role: "user", content: question }],
  max_tokens: 16,
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of stream) {
  streamed += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}
const plain = await client.completions.create({ model, prompt: question + " The pass key is", max_tokens: 5 });
let wrong = "";
try {
  await client.chat.completions.create({ model, messages: [], max_tokens: 5 });
} catch (error) {
  wrong = error.constructor.name + " " + error.status;
}
console.log(
  JSON.stringify({
    model,
    whole: whole.choices[0].message.content,
    finish: whole.choices[0].finish_reason,
    streamed,
    total: usage.total_tokens,
    plain: plain.choices[0].text,
    wrong,
  }),
);
