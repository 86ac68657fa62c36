// The browser on a lead: reads orders as lines of JSON from its input, and answers each with a line. browser.rs holds
// the other end. It ends, and the browser with it, when its input does.
import { createInterface } from 'node:readline';
import { barriers, open, overflowing, picture, places, start } from './browser.mjs';

const browser = await start();
const pages = new Map();
let count = 0;
// What one touch may take on a busy machine; how fast a page is, is asked elsewhere.
const PATIENCE_MS = 30_000;

// Until the script gives something that is true: what it gave. playwright's own way asks the page to evaluate, which
// the pages' rules for the browser forbid.
async function wait(page, script, within_ms) {
    const until = performance.now() + within_ms;
    for (let last = null; ;) {
        try {
            last = await page.evaluate(script);
            if (last) return last;
        } catch (error) {
            // A page that is being left cannot be asked.
            if (!/context was destroyed|navigat/i.test(String(error))) throw error;
        }
        if (performance.now() > until) throw new Error(`not within ${within_ms} ms: ${JSON.stringify(last)}`);
        await new Promise((done) => setTimeout(done, 20));
    }
}

const orders = {
    open: async (order) => {
        count += 1;
        pages.set(count, await open(browser, order));
        return count;
    },
    evaluate: (order, page) => page.evaluate(order.script),
    wait: (order, page) => wait(page, order.script, order.within_ms),
    click: (order, page) => page.click(order.selector, { timeout: PATIENCE_MS }),
    fill: (order, page) => page.fill(order.selector, order.text, { timeout: PATIENCE_MS }),
    select: (order, page) => page.selectOption(order.selector, order.value, { timeout: PATIENCE_MS }),
    press: (order, page) => page.keyboard.press(order.key),
    go: (order, page) => page.goto(new URL(order.path, page.url()).href),
    resize: (order, page) => page.setViewportSize({ width: order.width, height: order.height }),
    picture: (order, page) => picture(page, order.name),
    barriers: (order, page) => barriers(page),
    overflowing: (order, page) => overflowing(page, order.selector),
    places: (order, page) => places(page, order.selector),
    // What the console complained of since this was asked last.
    complaints: (order, page) => page.complaints.splice(0),
    // What it was refused since this was asked last.
    refused: (order, page) => page.refused.splice(0),
    // From the next loading on the page gets this board and no other, till a test puts another in `pretended`: what takes
    // weeks to come about is seen.
    pretend: (order, page) => page.addInitScript((board) => {
        window.pretended = board;
        window.EventSource = class extends EventTarget {
            constructor() {
                super();
                setInterval(() => this.dispatchEvent(new MessageEvent('board', { data: window.pretended })), 200);
            }
            close() {}
        };
    }, JSON.stringify(order.board)),
    // From now on the page gets this answer to what it asks there by this method, and none of the desk's; what it sent is
    // kept.
    answer: (order, page) => page.route((url) => url.pathname === order.path, async (route) => {
        const request = route.request();
        if (request.method() !== order.method) return route.fallback();
        page.asked.push({ method: order.method, path: order.path, query: new URL(request.url()).search, body: request.postDataJSON() });
        await new Promise((done) => setTimeout(done, order.after_ms));
        return route.fulfill({ status: order.status, contentType: 'application/json', body: order.status === 204 ? '' : JSON.stringify(order.body) });
    }),
    // What it sent there since this was asked last.
    asked: (order, page) => page.asked.splice(0),
    close: async (order, page) => {
        await page.context().close();
        pages.delete(order.page);
    },
};

for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    let answer;
    try {
        answer = { done: (await orders[order.do](order, pages.get(order.page))) ?? null };
    } catch (error) {
        answer = { failed: String(error.stack ?? error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
