'use strict';
// What all parts share: the data, amounts as people read them, colours of the theme, a canvas that
// is as sharp as the screen.
const data = JSON.parse(document.getElementById('data').textContent);
const at = (id) => document.getElementById(id);
const wall = Math.max(data.run.ns_wall, 1);
const kinds = ['waiting', 'files', 'network', 'memory', 'processes', 'other'];

// Three digits, or all of those before the point.
function digits(n) {
  return n < 999.5 ? n.toPrecision(3) : String(Math.round(n));
}
// Seconds up to ten minutes, then what people count such times by.
function duration(ns) {
  if (ns < 0) return 'never came back';
  const units = [
    ['d', 864e11], ['h', 36e11], ['min', 6e11, 6e10], ['s', 1e9], ['ms', 1e6], ['µs', 1e3]
  ];
  for (const [unit, from, size = from] of units)
    if (ns >= from) return digits(ns / size) + ' ' + unit;
  return Math.round(ns) + ' ns';
}
function number(n) { return n.toLocaleString('en'); }
function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; n >= 1024 && unit < 4; ++unit) n /= 1024;
  return (unit ? digits(n) : n) + ' ' + units[unit];
}
// Colours are the style sheet's, as the theme resolves them; asked for once a picture.
const probe = document.createElement('i');
probe.hidden = true;
document.body.append(probe);
let palette = {};
function colour(name) {
  if (!palette[name]) {
    probe.style.color = `var(${name})`;
    palette[name] = getComputedStyle(probe).color;
  }
  return palette[name];
}
function make(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// Drawn again when its size, the theme or what it shows changes; at most once a frame.
class Picture {
  constructor(canvas, height, draw) {
    this.canvas = canvas;
    this.height = height;
    this.paint = draw;
    this.waiting = false;
    new ResizeObserver(() => this.draw()).observe(canvas);
    Picture.all.push(this);
  }
  get width() { return this.canvas.clientWidth; }
  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      const scale = window.devicePixelRatio || 1, height = this.height();
      this.canvas.style.height = height + 'px';
      const w = Math.round(this.width * scale), h = Math.round(height * scale);
      if (this.canvas.width !== w || this.canvas.height !== h) {
        this.canvas.width = w;
        this.canvas.height = h;
      }
      const to = this.canvas.getContext('2d');
      to.setTransform(scale, 0, 0, scale, 0, 0);
      to.clearRect(0, 0, this.width, height);
      to.font = '12px system-ui, sans-serif';
      to.textBaseline = 'middle';
      palette = {};
      this.paint(to, this.width, height);
    });
  }
}
Picture.all = [];
// Scrolls a box so far that a row of what it holds is seen; `seen`: how much of that has room.
function show(box, top, height, seen = box.clientHeight) {
  if (top < box.scrollTop)
    box.scrollTop = top;
  else if (top + height > box.scrollTop + seen)
    box.scrollTop = top + height - seen;
}
function drawAll() {
  for (const one of Picture.all) one.draw();
}

// --- head
at('command').textContent = data.command || data.trace;
document.title = 'sctrace: ' + (data.command || data.trace);
const facts = [
  ['calls', number(data.total.calls), data.total.calls],
  ['failed', number(data.total.errors), data.total.errors],
  ['run', duration(data.run.ns_wall), data.run.ns_wall],
  ['in calls', duration(data.total.ns_total), data.total.ns_total],
  ...(data.run.ns_cpu === null ? [] : [[
    data.run.processes_cpu < data.run.processes ?
        `processor time (${number(data.run.processes_cpu)} of ${number(data.run.processes)})` :
        'processor time',
    duration(data.run.ns_cpu), data.run.ns_cpu
  ]]),
  ['threads', number(data.run.threads), data.run.threads],
  ['processes', number(data.run.processes), data.run.processes],
  ['bytes moved', bytes(data.total.bytes), data.total.bytes],
  ['host', data.host + ', ' + data.kernel, ''],
  [
    'began', new Date(data.ms_began).toISOString().replace('T', ' ').replace('Z', ' UTC'),
    data.ms_began
  ]
];
for (const [name, text, value] of facts) {
  const one = make('div');
  one.append(make('dt', name), make('dd', text, {'data-fact': name, 'data-value': value}));
  at('facts').append(one);
}
// Buffers are mostly cut because somebody asked for it: no cause for alarm.
const quiet = ['cut', 'clock_uncertain'];
if (data.missing.length) {
  at('missing').className = data.missing.every((one) => quiet.includes(one[0])) ? 'some' : 'bad';
  at('missing').textContent =
      'Not all is here: ' + data.missing.map((one) => number(one[2]) + ' ' + one[1]).join(', ');
} else {
  at('missing').textContent = 'Nothing was lost.';
}

// --- theme: as the system, light, dark
const themes = ['', 'light', 'dark'], themeNames = ['as the system', 'light', 'dark'];
let theme = 0;
at('theme').addEventListener('click', () => {
  theme = (theme + 1) % 3;
  if (themes[theme])
    document.documentElement.dataset.theme = themes[theme];
  else
    delete document.documentElement.dataset.theme;
  at('theme').setAttribute('aria-label', 'Theme: ' + themeNames[theme]);
  drawAll();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
