// --- tables: the rows of summary, sorted by any column
(() => {
  const columns = [
    ['name', '', (n) => n], ['calls', 'calls', number], ['errors', 'errors', number],
    ['ns_total', 'time', duration], ['ns_mean', 'mean', duration], ['ns_p50', 'p50', duration],
    ['ns_p90', 'p90', duration], ['ns_p99', 'p99', duration], ['ns_p999', 'p99.9', duration],
    ['ns_max', 'max', duration], ['bytes', 'bytes', bytes]
  ];
  const tabs = [
    ['syscall', 'Calls', data.syscalls], ['path', 'Files', data.paths],
    ['peer', 'Peers', data.peers], ['errno', 'Errors', data.errors]
  ];
  const most = 500;
  let tab = 0, sort = 3, up = false;
  function rows() {
    const wanted = at('only').value.trim().toLowerCase(), key = columns[sort][0];
    const list = tabs[tab][2].filter(
        (row) => row.calls && (!wanted || row.name.toLowerCase().includes(wanted)));
    const order = (a, b) => a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0;
    return list.sort((a, b) => up ? order(a, b) : order(b, a));
  }
  function head() {
    const line = make('tr');
    columns.forEach(([key, title], i) => {
      const cell = make(
          'th', undefined,
          {scope: 'col', 'aria-sort': i === sort ? (up ? 'ascending' : 'descending') : 'none'});
      const button = make('button', title || tabs[tab][0], {type: 'button', 'data-key': key});
      button.addEventListener('click', () => {
        up = i === sort ? !up : i === 0;
        sort = i;
        show();
        at('table').querySelector(`[data-key="${key}"]`).focus();
      });
      cell.append(button);
      line.append(cell);
    });
    const top = make('thead');
    top.append(line);
    return top;
  }
  function show() {
    const list = rows(), body = make('tbody');
    for (const row of list.slice(0, most)) {
      const line = make('tr');
      for (const [key, , text] of columns) {
        const cell = key === 'name' ? make('th', row.name, {scope: 'row'}) :
                                      make('td', row[key] ? text(row[key]) : '');
        cell.dataset.value = row[key];
        line.append(cell);
      }
      body.append(line);
    }
    at('table').replaceChildren(
        make('caption', tabs[tab][1] + ': ' + number(list.length)), head(), body);
    const beyond = {
      path: data.paths_all - data.paths.length,
      peer: data.peers_all - data.peers.length
    }[tabs[tab][0]] ||
        0;
    at('more').textContent =
        (list.length > most ? `The first ${number(most)} of ${
                                  number(list.length)} are shown; narrow them with "Only". ` :
                              '') +
        (beyond > 1 ? 'More are in `sctrace summary --by ' + tabs[tab][0] + '`.' : '');
  }
  tabs.forEach(([key, title], i) => {
    const button = make(
        'button', title, {type: 'button', role: 'tab', 'data-tab': key, 'aria-controls': 'panel'});
    button.addEventListener('click', () => select(i));
    button.addEventListener('keydown', (event) => {
      const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      if (!step) return;
      select((i + step + tabs.length) % tabs.length);
      at('tabs').children[tab].focus();
    });
    at('tabs').append(button);
  });
  function select(i) {
    tab = i;
    [...at('tabs').children].forEach((button, n) => {
      button.setAttribute('aria-selected', n === i);
      button.tabIndex = n === i ? 0 : -1;
    });
    show();
  }
  at('only').addEventListener('input', show);
  select(0);

  // --- losses and doors
  const fill = (table, title, list) => {
    const body = make('tbody');
    for (const [name, n] of list) {
      const line = make('tr');
      line.append(make('th', name, {scope: 'row'}), make('td', number(n), {'data-value': n}));
      body.append(line);
    }
    table.replaceChildren(make('caption', title), body);
  };
  fill(
      at('losses'), 'What is missing',
      data.missing.length ? data.missing.map((one) => [one[1], one[2]]) : [['calls lost', 0]]);
  const doors = [['calls by stub', data.doors.stub], ['calls by trap', data.doors.trap]];
  for (const [name, n] of Object.entries(data.doors.sites)) doors.push(['sites: ' + name, n]);
  for (const [name, n] of Object.entries(data.doors.refusals))
    doors.push(['left to the trap: ' + name, n]);
  fill(at('door-table'), 'How calls came in', doors);
  document.documentElement.dataset.ready = 'yes';
})();
