// --- live: in a page that `sctrace serve` gives, which asks now and then whether there is more
(() => {
  if (!data.stamp) return;
  const kept = JSON.parse(sessionStorage.getItem('sctrace') || '{}');
  const box = make('p', undefined, {id: 'live', class: 'tools'});
  const word = make('span', undefined, {role: 'status', 'aria-live': 'polite'});
  const again = make('button', 'Load anew', {type: 'button'});
  const label = make('label'), follow = make('input', undefined, {type: 'checkbox', id: 'follow'});
  follow.checked = kept.follow !== false;
  label.append(follow, 'keep up with the program');
  box.append(word, ' ', again, ' ', label);
  at('facts').after(box);

  // What a person has set up is there again behind the reload.
  function keep() {
    const tab = document.querySelector('[data-tab][aria-selected=true]'), [from, to] = lanes.range;
    const whole = from <= 0 && to >= wall;
    sessionStorage.setItem('sctrace', JSON.stringify({
      follow: follow.checked, theme, tab: tab && tab.dataset.tab, range: whole ? null : [from, to]
    }));
  }
  for (let n = 0; n < (kept.theme || 0); ++n) at('theme').click();
  if (kept.tab) document.querySelector(`[data-tab="${kept.tab}"]`).click();
  if (kept.range) lanes.view(...kept.range);

  function load() {
    keep();
    location.reload();
  }
  again.addEventListener('click', load);
  follow.addEventListener('change', keep);
  const typing = () => ['INPUT', 'SELECT'].includes(document.activeElement.tagName) &&
      document.activeElement !== follow;
  // A page of a long trace takes long to make; it shall not be made all the time.
  const [loaded] = performance.getEntriesByType('navigation');
  const pause = Math.max(2000, 5 * (loaded ? loaded.responseEnd - loaded.requestStart : 0));
  async function look() {
    try {
      const answer = await fetch('api/state' + location.search, {cache: 'no-store'});
      if (!answer.ok) throw new Error(answer.status);
      const state = await answer.json(), more = state.stamp !== data.stamp;
      word.textContent = (state.running ? 'The program is running. ' : 'The program has ended. ') +
          (more ? 'There is more than is shown here.' : 'All of it is shown here.');
      if (more && follow.checked && !typing() && !document.hidden) return load();
      if (!more && !state.running) return;
    } catch {
      word.textContent = 'Nobody answers any more: this is how it was.';
    }
    setTimeout(look, pause);
  }
  setTimeout(look, pause / 2);
})();
