// --- flame graph: processes at the top, calls at the bottom, as wide as what they stand for
const flame = (() => {
  function shade(name) {
    let hash = 7;
    for (let i = 0; i < name.length; ++i) hash = (hash * 31 + name.charCodeAt(i)) % 997;
    return hash % 4;
  }
  const canvas = at('flames'), row = 22, words = data.tree.names;
  // Nodes: parent, name, calls, ns, bytes. Sums of all below come first by going backwards: parents
  // stand before their children.
  const nodes = [];
  for (let i = 0; i < data.tree.nodes.length; i += 5)
    nodes.push({
      parent: data.tree.nodes[i],
      name: words[data.tree.nodes[i + 1]],
      self: [0, 0, ...data.tree.nodes.slice(i + 2, i + 5)],
      sum: null,
      children: [],
      depth: 0,
      x: 0,
      w: 0
    });
  for (let i = 1; i < nodes.length; ++i) {
    nodes[nodes[i].parent].children.push(i);
    nodes[i].depth = nodes[nodes[i].parent].depth + 1;
  }
  for (const node of nodes) node.sum = node.self.slice();
  for (let i = nodes.length - 1; i > 0; --i)
    for (let k = 2; k < 5; ++k) nodes[nodes[i].parent].sum[k] += nodes[i].sum[k];
  const kindOfCall = new Map(data.names);
  // Calls as on the timeline, what is above them apart: a colour means one thing on this page.
  for (const node of nodes)
    node.tone = node.self[2] || node.self[3] ? `--kind${kindOfCall.get(node.name) ?? 5}` :
        node.depth < 3 ? '--line' :
                         `--frame${shade(node.name)}`;
  let weight = 3, root = 0, chosen = 0, shown = [];
  const depth = () => {
    let most = 0;
    for (const i of shown) most = Math.max(most, nodes[i].depth);
    return most;
  };
  const text = (n) => weight === 3 ? duration(n) : weight === 4 ? bytes(n) : number(n) + ' calls';

  function lay() {
    shown = [];
    const put = (i, x, w) => {
      const node = nodes[i];
      node.x = x;
      node.w = w;
      shown.push(i);
      let next = x;
      const order =
          node.children.slice().sort((a, b) => nodes[b].sum[weight] - nodes[a].sum[weight]);
      for (const child of order) {
        const part = node.sum[weight] ? nodes[child].sum[weight] / node.sum[weight] * w : 0;
        if (part > 0.0002) put(child, next, part);
        next += part;
      }
    };
    for (let up = root; up; up = nodes[up].parent)
      if (up !== root) {
        nodes[up].x = 0;
        nodes[up].w = 1;
        shown.push(up);
      }
    if (root) {
      nodes[0].x = 0;
      nodes[0].w = 1;
      shown.push(0);
    }
    put(root, 0, 1);
  }
  const picture = new Picture(canvas, () => (depth() + 1) * row + 4, paint);
  function paint(c, w) {
    const wanted = at('find').value.trim().toLowerCase();
    for (const i of shown) {
      const node = nodes[i], px = node.x * w, width = Math.max(node.w * w - 1, 0.5),
            y = node.depth * row + 2;
      const match = wanted && node.name.toLowerCase().includes(wanted);
      c.globalAlpha = wanted && !match ? 0.3 : 1;
      c.fillStyle = colour(node.tone);
      c.fillRect(px, y, width, row - 2);
      c.globalAlpha = 1;
      if (i === chosen) {
        c.strokeStyle = colour('--focus');
        c.lineWidth = 2;
        c.strokeRect(px + 1, y + 1, Math.max(width - 2, 1), row - 4);
      }
      if (width < 30) continue;
      c.save();
      c.beginPath();
      c.rect(px, y, width - 2, row);
      c.clip();
      const dark = node.tone.startsWith('--kind') && node.tone !== '--kind0';
      c.fillStyle = (wanted && !match) || !dark ? colour('--text') : colour('--raised');
      c.fillText(node.name, px + 4, y + row / 2 - 1);
      c.restore();
    }
  }
  function say() {
    const node = nodes[chosen], all = nodes[0].sum[weight];
    at('frame').textContent = `${node.name}: ${text(node.sum[weight])}` +
        (all ? `, ${(100 * node.sum[weight] / all).toFixed(2)} %` : '');
  }
  function choose(i) {
    chosen = i;
    say();
    picture.draw();
  }
  function go(i) {
    choose(i);
    show(canvas.parentElement, nodes[i].depth * row, row + 4);
  }
  function enter(i) {
    root = i;
    lay();
    choose(i);
  }
  function hit(event) {
    const y = Math.floor((event.offsetY - 2) / row), x = event.offsetX / picture.width;
    return shown.find(
        (i) => nodes[i].depth === y && x >= nodes[i].x && x < nodes[i].x + nodes[i].w);
  }
  canvas.addEventListener('pointermove', (event) => {
    const i = hit(event);
    if (i !== undefined && i !== chosen) choose(i);
  });
  canvas.addEventListener('click', (event) => {
    const i = hit(event);
    if (i !== undefined) enter(i);
  });
  canvas.addEventListener('keydown', (event) => {
    const node = nodes[chosen];
    const beside = (step) => {
      const row_mates = shown.filter((i) => nodes[i].depth === node.depth)
                            .sort((a, b) => nodes[a].x - nodes[b].x);
      go(row_mates[Math.min(Math.max(row_mates.indexOf(chosen) + step, 0), row_mates.length - 1)]);
    };
    const below = () => {
      const child = shown.filter((i) => i && nodes[i].parent === chosen)
                        .sort((a, b) => nodes[a].x - nodes[b].x)[0];
      if (child !== undefined) go(child);
    };
    const keys = {
      Enter: () => enter(chosen),
      Escape: () => enter(root ? nodes[root].parent : 0),
      ArrowUp: () => go(node.parent),
      ArrowDown: below,
      ArrowLeft: () => beside(-1),
      ArrowRight: () => beside(1)
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  function find() {
    const wanted = at('find').value.trim().toLowerCase();
    let sum = 0;
    const within = (i) => wanted && nodes[i].name.toLowerCase().includes(wanted);
    const covered = nodes.map(() => false);
    nodes.forEach((node, i) => {  // what is under a match is counted with it
      const above = i && covered[node.parent];
      covered[i] = above || Boolean(within(i));
      if (covered[i] && !above) sum += node.sum[weight];
    });
    at('found').textContent = wanted ?
        `${text(sum)}, ${(100 * sum / Math.max(nodes[0].sum[weight], 1)).toFixed(2)} %` :
        '';
    at('found').dataset.value = sum;
    picture.draw();
  }
  at('find').addEventListener('input', find);
  at('weight').addEventListener('change', () => {
    weight = Number(at('weight').value);
    enter(0);
    find();
  });
  at('flame-reset').addEventListener('click', () => enter(0));
  enter(0);
  return {nodes, enter, get root() { return root; }};
})();
