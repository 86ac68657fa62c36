// A person at the page of recordings, in Chromium: signs in, sees the list, plays the first recording, moves
// in it, and takes a picture. Says what was seen as one line of JSON.
//   node look.mjs ORIGIN TOKEN PROFILE PICTURE
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import WebSocket from "ws";

const [origin, token, profile, picture] = process.argv.slice(2);
const chromium = spawn("chromium", [
  "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
  "--window-size=1280,720", "--lang=ja", `--user-data-dir=${profile}`, "--remote-debugging-port=0", "about:blank",
], { stdio: ["ignore", "ignore", "pipe"] });
process.on("exit", () => chromium.kill("SIGKILL"));
setTimeout(() => { console.error("too long"); process.exit(1); }, 60_000).unref();

const address = await new Promise((found) => {
  let told = "";
  chromium.stderr.on("data", (data) => {
    told += data;
    const line = told.match(/DevTools listening on (ws:\S+)/);
    if (line) found(line[1]);
  });
});
const socket = new WebSocket(address);
await new Promise((open) => socket.once("open", open));
let next = 1;
const due = new Map();
socket.on("message", (text) => {
  const message = JSON.parse(text);
  if (due.has(message.id)) due.get(message.id)(message);
});
let sessionId;
const call = (method, params = {}) => new Promise((done, failed) => {
  const id = next++;
  due.set(id, (message) => (message.error ? failed(new Error(`${method}: ${message.error.message}`)) : done(message.result)));
  socket.send(JSON.stringify({ id, method, params, sessionId }));
});
const { targetId } = await call("Target.createTarget", { url: "about:blank" });
({ sessionId } = await call("Target.attachToTarget", { targetId, flatten: true }));
await call("Page.enable");
await call("Runtime.enable");
const run = async (expression) => {
  const { result, exceptionDetails } = await call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
  return result.value;
};
const until = async (what, expression) => {
  for (let n = 0; n < 300; n++) {
    try { if (await run(expression)) return; } catch { /* between two pages */ }
    await new Promise((later) => setTimeout(later, 50));
  }
  throw new Error(`never: ${what}: ${await run("document.body.innerText")}`);
};

await call("Page.navigate", { url: `${origin}/recordings` });
await until("the login", "document.getElementById('token') !== null");
await run(`document.getElementById('token').value = ${JSON.stringify(token)}; document.getElementById('token').form.submit()`);
await until("the wallboard's way to the recordings", "document.querySelector('a[href=\"/recordings\"]') !== null");
await run("localStorage.setItem('lang', 'ja')");
await run("document.querySelector('a[href=\"/recordings\"]').click()");
await until("a recording", "document.querySelector('#rows audio') !== null");
const seen = { rows: await run("document.getElementById('rows').innerText"), title: await run("document.title") };
seen.played = await run(`(async () => {
  const audio = document.querySelector('#rows audio');
  const heard = (name) => new Promise((done, failed) => {
    audio.addEventListener(name, done, { once: true });
    setTimeout(() => failed(new Error('no ' + name + ' ' + (audio.error && audio.error.message))), 10000);
  });
  const begun = heard('playing');
  await audio.play();
  await begun;
  const from = audio.currentTime;
  await new Promise((later) => setTimeout(later, 600));
  const ran = audio.currentTime - from;
  const to = audio.duration * 0.75;
  const sought = heard('seeked');
  audio.currentTime = to;
  await sought;
  const at = audio.currentTime;
  await new Promise((later) => setTimeout(later, 600));
  const on = audio.currentTime - at;
  audio.pause();
  return { duration: audio.duration, ran, to, at, on, seekable: audio.seekable.length > 0 && audio.seekable.end(0), error: audio.error && audio.error.code };
})()`);
await run("document.getElementById('language').click()");
seen.english = await run("document.getElementById('count').innerText");
await run("document.getElementById('language').click()");
const { data } = await call("Page.captureScreenshot", { format: "png" });
writeFileSync(picture, Buffer.from(data, "base64"));
console.log(JSON.stringify(seen));
process.exit(0);
