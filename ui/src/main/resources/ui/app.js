// The frame of the page: which view is shown.
import { element } from '/ui/lib.js';
import { VIEWS } from '/ui/views.js';

const nav = document.querySelector('nav');
for (const [name, view] of Object.entries(VIEWS)) {
  customElements.define('view-' + name, view.type);
  nav.append(element('a', { href: '#' + name }, view.title));
}

function show() {
  const [name, ...rest] = location.hash.slice(1).split('/');
  const chosen = VIEWS[name] ? name : Object.keys(VIEWS)[0];
  for (const a of nav.children) {
    if (a.hash === '#' + chosen) a.setAttribute('aria-current', 'page'); else a.removeAttribute('aria-current');
  }
  document.title = VIEWS[chosen].title + ' - Spillway';
  const view = document.createElement('view-' + chosen);
  view.path = rest;
  document.getElementById('view').replaceChildren(view);
}
addEventListener('hashchange', () => { show(); document.getElementById('view').focus(); });
show();
