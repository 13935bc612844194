// --- heat map: time from left to right, duration from bottom to top, brighter: more calls
const heat = (() => {
  const canvas = at('cells'), select = at('heat-call'), left = 62, foot = 18;
  select.append(make('option', 'all calls', {value: ''}));
  for (const name of Object.keys(data.heat.by)) select.append(make('option', name, {value: name}));
  let chosen = [0, 0];
  const cells = () => select.value ? data.heat.by[select.value] : data.heat.all;
  function bounds() {
    let low = 255, high = 0;
    for (let i = 1; i < data.heat.all.length; i += 3) {
      low = Math.min(low, data.heat.all[i]);
      high = Math.max(high, data.heat.all[i]);
    }
    return low > high ? [0, 1] : [low, high + 1];
  }
  const [low, high] = bounds();
  const begins = (row) => row ? Math.pow(2, row / 2) : 0;
  const picture = new Picture(canvas, () => 230, paint);
  function paint(c, w, h) {
    const list = cells(), cw = (w - left) / data.heat.columns, ch = (h - foot) / (high - low);
    let most = 1;
    for (let i = 2; i < list.length; i += 3) most = Math.max(most, list[i]);
    c.fillStyle = colour('--heat');
    for (let i = 0; i < list.length; i += 3) {
      c.globalAlpha = 0.3 + 0.7 * Math.log1p(list[i + 2]) / Math.log1p(most);
      const y = h - foot - (list[i + 1] - low + 1) * ch;
      c.fillRect(left + list[i] * cw, y, Math.max(cw, 1.5), Math.max(ch - 0.5, 1));
    }
    c.globalAlpha = 1;
    c.fillStyle = colour('--quiet');
    const every = Math.max(1, Math.ceil(16 / ch));
    for (let row = low; row <= high; row += every) {
      const y = h - foot - (row - low) * ch;
      if (y > 8) c.fillText(duration(begins(row)), 4, y);
    }
    const parts = w > 600 ? 4 : 2;
    for (let i = 0; i <= parts; ++i) {
      const text = duration(Math.round(wall * i / parts)), width = c.measureText(text).width;
      c.fillText(text, Math.min(left + (w - left) * i / parts, w - width - 2), h - foot / 2);
    }
    c.strokeStyle = colour('--focus');
    if (document.activeElement === canvas)
      c.strokeRect(
          left + chosen[0] * cw, h - foot - (chosen[1] - low + 1) * ch, Math.max(cw, 3), ch);
  }
  function say(column, row) {
    const list = cells();
    let n = 0;
    for (let i = 0; i < list.length; i += 3)
      if (list[i] === column && list[i + 1] === row) n = list[i + 2];
    at('cell').textContent = `+${duration(column * data.heat.ns_column)}: ${number(n)} call${
        n === 1 ? '' : 's'} of ${duration(begins(row))} to ${duration(begins(row + 1))}`;
  }
  canvas.addEventListener('pointermove', (event) => {
    const column = Math.floor((event.offsetX - left) / (picture.width - left) * data.heat.columns);
    const row = low + Math.floor((230 - foot - event.offsetY) / ((230 - foot) / (high - low)));
    if (column >= 0 && row >= low) say(column, row);
  });
  canvas.addEventListener('keydown', (event) => {
    const move = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [
                    0, -1
                  ]}[event.key];
    if (!move) return;
    event.preventDefault();
    chosen = [
      Math.min(Math.max(chosen[0] + move[0], 0), data.heat.columns - 1),
      Math.min(Math.max(chosen[1] + move[1], low), high - 1)
    ];
    say(...chosen);
    picture.draw();
  });
  canvas.addEventListener('focus', () => {
    chosen[1] = Math.max(chosen[1], low);
    picture.draw();
  });
  canvas.addEventListener('blur', () => picture.draw());
  select.addEventListener('change', () => picture.draw());
  return {cells};
})();
