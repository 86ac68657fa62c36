// The browser on a lead: reads orders as lines of JSON from its input, and answers each with a line. browser.rs holds
// the other end. It ends, and the browser with it, when its input does.
import { createInterface } from 'node:readline';
import { barriers, open, overflowing, picture, places, start } from './browser.mjs';

const browser = await start();
const pages = new Map();
let count = 0;

const orders = {
    open: async (order) => {
        count += 1;
        pages.set(count, await open(browser, order));
        return count;
    },
    evaluate: (order, page) => page.evaluate(order.script),
    // Until the script gives something that is true: what it gave.
    wait: async (order, page) => {
        // Asked again from here: the page's own rules forbid it to evaluate a text.
        for (const until = Date.now() + order.within_ms; ;) {
            const said = await page.evaluate(order.script);
            if (said) return said;
            if (Date.now() > until) throw new Error(`not within ${order.within_ms} ms`);
            await new Promise((resolve) => { setTimeout(resolve, 50); });
        }
    },
    click: (order, page) => page.click(order.selector, { timeout: 5000 }),
    fill: (order, page) => page.fill(order.selector, order.text, { timeout: 5000 }),
    select: (order, page) => page.selectOption(order.selector, order.value, { timeout: 5000 }),
    press: (order, page) => page.keyboard.press(order.key),
    go: (order, page) => page.goto(new URL(order.path, page.url()).href),
    resize: (order, page) => page.setViewportSize({ width: order.width, height: order.height }),
    picture: (order, page) => picture(page, order.name),
    barriers: (order, page) => barriers(page),
    overflowing: (order, page) => overflowing(page, order.selector),
    places: (order, page) => places(page, order.selector),
    // What the console complained of since this was asked last.
    complaints: (order, page) => page.complaints.splice(0),
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
