// The chart of the day: calls by half hour as bars, what is usual as a line of steps. A call without an outcome yet has a
// colour of its own: it is not lost. Colours are those of the page.
// uPlot (a classic script, `window.uPlot`) draws; docs/decisions/0016-pages.md says why that one.

// Shown even when nothing is in them: 8:00 to 19:00.
const FIRST = 16;
const LAST = 37;

// A line that is level over each half hour, which stands in the middle of its number.
function steps(plot, series, from, to) {
  const stroke = new Path2D();
  for (let n = from, drawing = false; n <= to; n += 1) {
    const value = plot.data[series][n];
    if (value === null) { drawing = false; continue; }
    const y = plot.valToPos(value, "y", true);
    for (const x of [plot.data[0][n] - 0.5, plot.data[0][n] + 0.5]) {
      if (drawing) stroke.lineTo(plot.valToPos(x, "x", true), y);
      else stroke.moveTo(plot.valToPos(x, "x", true), y);
      drawing = true;
    }
  }
  return { stroke, fill: null };
}

export class Chart {
  constructor(place) {
    this.place = place;
    this.plot = null;
    this.drawn = ""; // What is drawn, so that the same is not drawn again.
    this.data = null;
    new ResizeObserver(() => this.fit()).observe(place);
  }

  // The usual number of calls up to a time of day, in hours; of a half hour that is not over its part.
  usualBy(half_hours, days, hours) {
    return half_hours.before.reduce((sum, count, n) => sum + count * Math.min(1, Math.max(0, hours * 2 - n)), 0) / days;
  }

  draw(half_hours, days, hours) {
    const of = (n) => half_hours.arrived[n] > 0 || half_hours.before[n] > 0;
    let [first, last] = [FIRST, LAST];
    for (let n = 0; n < 48; n += 1) {
      if (of(n)) [first, last] = [Math.min(first, n), Math.max(last, n)];
    }
    const now = Math.floor(hours * 2);
    const key = JSON.stringify([half_hours, days, first, last, now]);
    if (key === this.drawn) return;
    this.drawn = key;
    const numbers = Array.from({ length: last - first + 1 }, (_, n) => first + n);
    // What has not begun is empty, not zero.
    const so_far = (counts) => numbers.map((n) => (n <= now ? counts[n] : null));
    const usual = numbers.map((n) => (days === 0 ? null : half_hours.before[n] / days));
    const decided = half_hours.arrived.map((count, n) => count - half_hours.undecided[n]);
    this.data = [numbers, so_far(half_hours.arrived), so_far(decided), so_far(half_hours.answered), usual];
    if (!this.plot) this.make();
    this.plot.batch(() => {
      this.plot.setData(this.data, false);
      this.plot.setScale("x", { min: first - 0.5, max: last + 0.5 });
      this.plot.setScale("y", { min: 0, max: this.most() });
    });
  }

  // Whole steps of four, so that the scale seldom moves.
  most() {
    const most = Math.max(4, ...this.data.slice(1).flat().map((value) => value ?? 0));
    const step = [4, 8, 12, 20, 40, 60, 80, 120, 160, 200, 300, 400, 600, 800, 1200, 2000, 4000].find((it) => most <= it);
    return step ?? most;
  }

  themed() {
    if (!this.plot) return;
    this.plot.destroy();
    this.plot = null;
    this.make();
    this.fit();
  }

  size() {
    const { clientWidth, clientHeight } = this.place;
    return { width: Math.max(100, clientWidth), height: Math.max(60, clientHeight) };
  }

  fit() {
    if (!this.plot) return;
    const { width, height } = this.size();
    if (this.plot.width === width && this.plot.height === height) return;
    // Letters follow the page's size.
    if (this.unit !== this.letters()) this.themed();
    else this.plot.setSize({ width, height });
  }

  letters() {
    return Math.round(parseFloat(getComputedStyle(this.place).fontSize));
  }

  make() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const letters = this.letters();
    this.unit = letters;
    const font = `${letters}px ${getComputedStyle(document.body).fontFamily}`;
    const axis = { stroke: colour("--soft"), font, ticks: { show: false } };
    const bars = (width) => window.uPlot.paths.bars({ size: [width, 200], gap: 0 });
    const hour = (n) => `${Math.floor(n / 2)}:00`;
    const first = this.data[0][0], last = this.data[0].at(-1);
    this.plot = new window.uPlot({
      ...this.size(),
      legend: { show: false },
      cursor: { show: false },
      padding: [letters * 0.6, letters * 0.8, 0, 0],
      scales: { x: { time: false, min: first - 0.5, max: last + 0.5 }, y: { range: (_, min, max) => [min, max], min: 0, max: this.most() } },
      axes: [
        {
          ...axis, size: letters * 2, gap: letters * 0.6, grid: { show: false },
          // At every second full hour, at the left of its half hour; of a long day at every fourth.
          splits: () => this.data[0].filter((n) => n % (this.data[0].length > 26 ? 8 : 4) === 0).map((n) => n - 0.5),
          values: (_, splits) => splits.map((split) => hour(split + 0.5)),
        },
        {
          ...axis, size: letters * 3, gap: letters * 0.4, grid: { stroke: colour("--edge"), width: 1 },
          splits: (_, __, min, max) => [0, max / 4, max / 2, (3 * max) / 4, max],
          values: (_, splits) => splits.map((split) => String(split)),
        },
      ],
      series: [
        {},
        { stroke: colour("--chart-undecided"), fill: colour("--chart-undecided"), width: 0, paths: bars(0.8), points: { show: false } },
        { stroke: colour("--chart-arrived"), fill: colour("--chart-arrived"), width: 0, paths: bars(0.8), points: { show: false } },
        { stroke: colour("--chart-answered"), fill: colour("--chart-answered"), width: 0, paths: bars(0.8), points: { show: false } },
        { stroke: colour("--chart-usual"), width: Math.max(2, letters / 8), paths: steps, points: { show: false } },
      ],
    }, this.data, this.place);
  }
}
