// What every page's test needs of a browser: Debian's chromium without its own windows, a page that is logged in under a given language
// and theme, what its console complained of, a picture of it, what axe says of it. It knows no page of the desk.
import { AxeBuilder } from '@axe-core/playwright';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

// Pictures go there: target/pages.
export const pictures = fileURLToPath(new URL('../../target/pages/', import.meta.url));

export const start = () => chromium.launch({
    // Without the tabs and menus that chromium draws of pages of its own, which cost more than the page that is looked at.
    executablePath: '/usr/bin/chromium-headless-shell',
    // A test may run as root, in a place without a graphics card and with a small /dev/shm.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none'],
});

// The login as a person makes it, with what is in `login`: the names of its fields and their values.
async function logIn(page, url, login) {
    await page.goto(url);
    for (const [name, value] of Object.entries(login)) await page.fill(`[name="${name}"]`, value);
    const [field] = Object.keys(login);
    await Promise.all([page.waitForNavigation(), page.click(`form:has([name="${field}"]) button[type=submit]`)]);
}

// A page of the desk at `url`; `login` null: nobody has logged in. `language` is ja or en, `theme` light or dark; a page
// asks the browser for them, or what was kept of them. What its console or network complains of is in `page.complaints`,
// what it asked and was not let in `page.refused`.
export async function open(browser, { url, path = '/', login, language = 'ja', theme = 'light', width = 1920, height = 1080 }) {
    const context = await browser.newContext({
        viewport: { width, height },
        locale: language === 'ja' ? 'ja-JP' : 'en-GB',
        colorScheme: theme,
        reducedMotion: 'reduce',
    });
    await context.addInitScript(([language, theme]) => {
        for (const [name, value] of [['lang', language], ['theme', theme]]) {
            if (localStorage.getItem(name) === null) localStorage.setItem(name, value);
        }
    }, [language, theme]);
    const page = await context.newPage();
    page.complaints = [];
    page.asked = [];
    page.refused = [];
    page.on('response', (answer) => {
        if ([401, 403].includes(answer.status())) page.refused.push(`${answer.status()} ${new URL(answer.url()).pathname}`);
    });
    page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) page.complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => page.complaints.push(`exception: ${error.stack ?? error}`));
    page.on('dialog', (dialog) => {
        page.complaints.push(`dialog: ${dialog.message()}`);
        dialog.dismiss();
    });
    if (login) await logIn(page, new URL('/', url).href, login);
    if (!login || path !== '/') await page.goto(new URL(path, url).href);
    return page;
}

// A picture of what is seen, as target/pages/NAME.png.
export async function picture(page, name) {
    mkdirSync(pictures, { recursive: true });
    const path = join(pictures, `${name}.png`);
    await page.screenshot({ path });
    return path;
}

// What axe finds that keeps somebody out: its serious and critical rules, each with where and why.
export async function barriers(page) {
    const found = await new AxeBuilder({ page }).analyze();
    const grave = found.violations.filter((rule) => ['serious', 'critical'].includes(rule.impact));
    return grave.map((rule) => `${rule.id}: ${rule.help}: ${rule.nodes.slice(0, 5)
        .map((node) => `${node.target.join(' ')} (${node.any.concat(node.all, node.none).map((it) => it.message).join('; ')})`)
        .join(' | ')}`);
}

// The elements of `selector` whose content is wider or higher than they are, or that stick out of the window.
export const overflowing = (page, selector) => page.evaluate((selector) =>
    [...document.querySelectorAll(selector)].filter((node) => node.getClientRects().length > 0).flatMap((node) => {
        const box = node.getBoundingClientRect();
        // Both are rounded, each in its own way.
        const wide = node.scrollWidth > node.clientWidth + 1, high = node.scrollHeight > node.clientHeight + 1;
        const out = box.left < -0.5 || box.right > document.documentElement.clientWidth + 0.5;
        const size = `${node.scrollWidth}x${node.scrollHeight} in ${node.clientWidth}x${node.clientHeight}`;
        return wide || high || out ? [`${node.id || node.className}: ${size}`] : [];
    }), selector);

// Where the elements of `selector` are, in whole pixels, by id or else by class.
export const places = (page, selector) => page.evaluate((selector) =>
    Object.fromEntries([...document.querySelectorAll(selector)].map((node, n) => {
        const { x, y, width, height } = node.getBoundingClientRect();
        return [`${n} ${node.id || node.className}`, [x, y, width, height].map(Math.round)];
    })), selector);
