// --- timeline: a lane for each thread. Behind: how full each part was. In front: the longest
// calls.
const lanes = (() => {
  const canvas = at('lanes'), box = canvas.parentElement, threads = data.threads;
  const many = threads.length > 200, lane = many ? 16 : 26, margin = many ? 2 : 4;
  const left = () => Math.min(190, canvas.clientWidth * 0.28);
  let from = 0, to = wall, current = 0, chosen = -1, dragged = null;
  const marks = threads.map(() => []);
  for (const [thread, when, text] of data.marks)
    marks[thread].push([when, text]);

  // No canvas is as high as ten thousand lanes: it stays in its box, and shows what is scrolled to.
  const whole = Math.max(threads.length, 1) * lane + 4, seen = Math.min(whole, 516);
  at('lanes-below').style.height = whole - seen + 'px';
  const picture = new Picture(canvas, () => seen, paint);
  box.addEventListener('scroll', () => picture.draw());
  const axis = new Picture(at('axis'), () => 24, name_ticks);  // stays when the lanes scroll
  const x = (t) => left() + (t - from) / (to - from) * (picture.width - left());
  const time = (px) => from + (px - left()) / Math.max(picture.width - left(), 1) * (to - from);
  // A call that never came back lasted as long as its thread.
  const ends = (call, thread) => call[1] < 0 ? Math.max(thread.to, call[0]) : call[0] + call[1];

  function* ticks(w) {
    const span = to - from, rough = span / Math.max((w - left()) / 110, 1);
    const round = (unit) => {
      const power = unit * Math.pow(10, Math.floor(Math.log10(rough / unit)));
      return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
    };
    const minutes = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((n) => n * 6e10);
    const step =
        rough <= 3e10 ? round(1) : minutes.find((n) => n >= rough) || round(minutes.at(-1));
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) yield t;
  }
  function rule(c, t, y0, y1) {
    c.strokeStyle = colour('--line');
    c.beginPath();
    c.moveTo(x(t), y0);
    c.lineTo(x(t), y1);
    c.stroke();
  }
  function name_ticks(c, w, h) {
    c.fillStyle = colour('--quiet');
    c.fillText(
        `${number(data.threads.length)} thread${data.threads.length === 1 ? '' : 's'}`, 6, h / 2);
    for (const t of ticks(w)) {
      const text = duration(Math.round(t)), fits = x(t) + 5 + c.measureText(text).width < w;
      rule(c, t, h - 7, h);
      if (fits) c.fillText(text, x(t) + 4, h / 2);
    }
  }
  function hatch(c, px, y, w, h) {
    c.save();
    c.beginPath();
    c.rect(px, y, w, h);
    c.clip();
    c.strokeStyle = colour('--lane');
    c.lineWidth = 1.5;
    c.beginPath();
    const first = Math.max(px - h, left() - h), last = Math.min(px + w, picture.width);
    for (let i = first - first % 6; i < last; i += 6) {
      c.moveTo(i, y + h);
      c.lineTo(i + h, y);
    }
    c.stroke();
    c.restore();
  }
  function density(c, thread, y, colours) {
    for (let i = 0; i < thread.bins.length; i += 4) {
      const begin = thread.bins[i] * data.ns_bin;
      if (begin + data.ns_bin < from || begin > to) continue;
      const px = Math.max(x(begin), left()), w = Math.max(x(begin + data.ns_bin) - px, 0.5);
      const waiting = thread.bins[i + 2] / data.ns_bin, other = thread.bins[i + 3] / data.ns_bin;
      const full = lane / 2 - margin;
      const h0 = Math.min(waiting, 1) * full, h1 = Math.min(other, 1) * full;
      c.fillStyle = colours[0];
      c.fillRect(px, y + lane - margin - h0, w, h0);
      c.fillStyle = colours[5];
      c.fillRect(px, y + lane - margin - h0 - Math.max(h1, 0.5), w, Math.max(h1, 0.5));
    }
  }
  function calls(c, thread, index, y, colours) {
    let last = -1;
    for (let i = 0; i < thread.kept.length; ++i) {
      const call = thread.kept[i];
      if (call[0] > to) break;
      if (ends(call, thread) < from) continue;
      const px = Math.max(x(call[0]), left()),
            w = Math.min(x(ends(call, thread)), picture.width) - px;
      if (w < 1 && px - last < 1) continue;  // drawn already, as far as one can see
      last = px;
      const kind = data.names[call[2]][1];
      c.fillStyle = colours[kind];
      c.fillRect(px, y + margin, Math.max(w, 1), lane - 2 * margin);
      const waits = kind === 0 || call[3] & 2;
      if (waits && w > 4) hatch(c, px, y + margin, w, lane - 2 * margin);
      if (call[3] & 1) {
        c.fillStyle = colour('--bad');
        c.fillRect(px, y + margin, Math.max(w, 1), many ? 2 : 3);
      }
      if (index === current && i === chosen) {
        c.strokeStyle = colour('--focus');
        c.lineWidth = 2;
        c.strokeRect(px - 1, y + margin - 1, Math.max(w, 1) + 2, lane - 2 * margin + 2);
      }
      if (w > 46 && !many) {
        c.save();
        c.beginPath();
        c.rect(px, y, w - 3, lane);
        c.clip();
        const name = data.names[call[2]][0];
        if (waits) {  // on a ground of its own: no letter is read through a hatching
          c.fillStyle = colours[kind];
          c.fillRect(px + 2, y + 6, Math.min(c.measureText(name).width + 4, w - 5), lane - 12);
        }
        c.fillStyle = kind === 0 ? colour('--text') : colour('--raised');
        c.fillText(name, px + 4, y + lane / 2);
        c.restore();
      }
    }
  }
  function paint(c, w, h) {
    const colours = kinds.map((_, i) => colour('--kind' + i));
    for (const t of ticks(w)) rule(c, t, 0, h);
    threads.forEach((thread, index) => {
      const y = index * lane - box.scrollTop, begin = Math.max(x(thread.from), left());
      if (y + lane < 0 || y > h) return;
      const end = Math.min(x(thread.to), w);
      c.fillStyle = colour('--lane');
      if (end > begin) c.fillRect(begin, y + 2, end - begin, lane - 4);
      density(c, thread, y, colours);
      calls(c, thread, index, y, colours);
      c.fillStyle = colour('--focus');
      for (const [when] of marks[index])
        if (when >= from && when <= to) c.fillRect(x(when) - 1, y + 1, 2, lane - 2);
      c.fillStyle = colour('--raised');
      c.fillRect(0, y, left() - 2, lane);
      c.fillStyle = index === current ? colour('--accent') : colour('--text');
      c.save();
      c.beginPath();
      c.rect(0, y, left() - 6, lane);
      c.clip();
      c.fillText(thread.tid + ' ' + (thread.name || 'thread'), 6, y + lane / 2);
      c.restore();
    });
    at('range').textContent = duration(Math.round(from)) + ' to ' + duration(Math.round(to));
  }
  function say(index, call) {
    const thread = threads[index];
    const who = (thread.name || 'thread') + ' ' + thread.pid + '/' + thread.tid;
    at('call').textContent = call ?
        `${who}  +${duration(call[0])}  ${call[4]}  <${duration(call[1])}>` :
        `${who}: ${number(thread.calls)} calls` + (thread.how ? ', ' + thread.how : '');
  }
  function find(px, py) {
    const index = Math.floor((py + box.scrollTop) / lane);
    if (index < 0 || index >= threads.length || px < left()) return null;
    const t = time(px), near = (to - from) / Math.max(picture.width, 1) * 2;
    for (const [when, text] of marks[index])
      if (Math.abs(when - t) < near) return {index, text: `+${duration(when)}  ${text}`};
    let best = -1;
    threads[index].kept.forEach((call, i) => {
      if (call[0] <= t + near && ends(call, threads[index]) >= t - near &&
          (best < 0 || call[0] >= threads[index].kept[best][0]))
        best = i;
    });
    return {index, best};
  }
  function view(a, b) {
    const span = Math.min(Math.max(b - a, 200), wall);
    from = Math.min(Math.max(a, 0), wall - span);
    to = from + span;
    picture.draw();
    axis.draw();
  }
  function zoom(factor, around = (from + to) / 2) {
    view(around - (around - from) * factor, around + (to - around) * factor);
  }
  const deeds = {
    in: () => zoom(0.5), out: () => zoom(2), all: () => view(0, wall),
    left: () => view(from - (to - from) / 4, to - (to - from) / 4),
    right: () => view(from + (to - from) / 4, to + (to - from) / 4)};
  function choose(step) {
    const kept = threads[current] ? threads[current].kept : [];
    if (!kept.length) return;
    if (chosen < 0)
      chosen =
          kept.findIndex((call) => ends(call, threads[current]) >= from) - (step > 0 ? step : 0);
    chosen = Math.min(Math.max(chosen + step, 0), kept.length - 1);
    const call = kept[chosen];
    if (call[0] < from || call[0] > to)
      view(call[0] - (to - from) / 4, call[0] + (to - from) * 3 / 4);
    say(current, call);
    picture.draw();
  }
  function lane_to(index) {
    current = Math.min(Math.max(index, 0), threads.length - 1);
    chosen = -1;
    if (threads[current]) say(current, null);
    show(box, current * lane, lane, seen);
    picture.draw();
  }
  canvas.addEventListener('keydown', (event) => {
    const keys = {
      '+': deeds.in,
      '=': deeds.in,
      '-': deeds.out,
      '0': deeds.all,
      ArrowLeft: deeds.left,
      ArrowRight: deeds.right,
      n: () => choose(1),
      p: () => choose(-1),
      ArrowDown: () => lane_to(current + 1),
      ArrowUp: () => lane_to(current - 1)
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  canvas.addEventListener('wheel', (event) => {
    if (event.ctrlKey)
      zoom(event.deltaY > 0 ? 1.25 : 0.8, time(event.offsetX));
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY))
      view(
          from + event.deltaX / picture.width * (to - from),
          to + event.deltaX / picture.width * (to - from));
    else
      return;  // the page's own
    event.preventDefault();
  }, {passive: false});
  canvas.addEventListener('pointerdown', (event) => {
    dragged = {x: event.offsetX, from, to};
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointerup', () => {
    dragged = null;
  });
  canvas.addEventListener('pointermove', (event) => {
    if (dragged) {
      const moved = (event.offsetX - dragged.x) / Math.max(picture.width - left(), 1) *
          (dragged.to - dragged.from);
      return view(dragged.from - moved, dragged.to - moved);
    }
    const found = find(event.offsetX, event.offsetY);
    if (!found) return;
    current = found.index;
    chosen = found.best === undefined ? -1 : found.best;
    if (found.text)
      at('call').textContent = found.text;
    else
      say(current, chosen < 0 ? null : threads[current].kept[chosen]);
    picture.draw();
  });
  for (const button of document.querySelectorAll('[data-do]'))
    button.addEventListener('click', deeds[button.dataset.do]);
  kinds.forEach((kind, i) => {
    const item = make('li'), box = make('span', '', i ? {} : {class: 'hatched'});
    box.style.backgroundColor = `var(--kind${i})`;
    item.append(box, kind);
    at('legend').append(item);
  });
  return {view, find, get range() { return [from, to]; }};
})();
