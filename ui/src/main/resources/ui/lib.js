// Calls to the server and small helpers for the views. No library, no network beyond this server.
const params = new URLSearchParams(location.search);
if (params.get('token')) {
  sessionStorage.setItem('token', params.get('token'));
  history.replaceState(null, '', location.pathname + location.hash);
}

function headers(extra) {
  const token = sessionStorage.getItem('token');
  return token ? { ...extra, Authorization: 'Bearer ' + token } : extra;
}

// The server's answer, or an error in its words.
async function checked(asked) {
  const response = await asked.catch(e => {
    if (e.name === 'AbortError') throw e;
    throw new Error('the server does not answer: does ./spillway ui still run?');
  });
  if (response.ok) return response;
  let message = response.status + ' ' + response.statusText;
  try { message = (await response.json()).error.message; } catch { /* no JSON: the status says it */ }
  throw new Error(message);
}

export async function get(path) {
  return (await checked(fetch('/api/' + path, { headers: headers({}) }))).json();
}

export async function blob(path) {
  return (await checked(fetch('/api/' + path, { headers: headers({}) }))).blob();
}

function posting(body, signal) {
  return { method: 'POST', signal, headers: headers({ 'Content-Type': 'application/json' }), body: JSON.stringify(body) };
}

export async function post(path, body) {
  return (await checked(fetch('/api/' + path, posting(body)))).json();
}

// Server-sent events of a POST: calls on[name](data) for each. The last one is 'done'.
export async function stream(path, body, on, signal) {
  const response = await checked(fetch('/api/' + path, posting(body, signal)));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '', ended = false;
  for (;;) {
    const { value, done } = await reader.read();
    if (done && ended) return;
    if (done) throw new Error('the server broke off: its terminal says why');
    rest += value;
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const lines = rest.slice(0, end).split('\n');
      rest = rest.slice(end + 2);
      const name = lines.find(l => l.startsWith('event: '))?.slice(7) ?? 'message';
      const data = lines.filter(l => l.startsWith('data: ')).map(l => l.slice(6)).join('\n');
      ended ||= name === 'done';
      on[name]?.(JSON.parse(data));
    }
  }
}

// element('p.mute', {title: 'x'}, 'text', child, ...)
export function element(kind, attributes, ...children) {
  const [tag, ...classes] = kind.split('.');
  const e = document.createElement(tag);
  if (classes.length) e.className = classes.join(' ');
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
    else if (value === true) e.setAttribute(name, '');
    else if (value !== false && value != null) e.setAttribute(name, value);
  }
  e.append(...children.flat().filter(c => c != null));
  return e;
}

export function field(label, control, whole) {
  return element(whole ? 'div.whole' : 'div', {}, element('label', { for: control.id }, label), control);
}

export function choice(id, options, chosen, multiple) {
  return element('select', { id, multiple: !!multiple },
    options.map(o => element('option', { value: o, selected: [].concat(chosen).includes(o) }, o)));
}

export function table(head, rows) {
  const numeric = i => rows.length > 0 && rows.every(r => /^[\d.]+$/.test(r[i]));
  const cell = (tag, text, i) => element(tag + (numeric(i) ? '.n' : ''), tag === 'th' ? { scope: 'col' } : {}, String(text));
  return element('div.wide', { tabindex: 0, role: 'region', 'aria-label': 'table' }, element('table', {},
    element('thead', {}, element('tr', {}, head.map((h, i) => cell('th', h, i)))),
    element('tbody', {}, rows.map(r => element('tr', {}, r.map((c, i) => cell('td', c, i)))))));
}

export function say(text) { document.getElementById('status').textContent = text; }

// A page of our own in a frame as tall as the page; nothing of it runs.
export function framed(title, source) {
  const frame = element('iframe', { title, sandbox: 'allow-same-origin', onload: () => {
    const page = frame.contentDocument.body;
    new ResizeObserver(() => { frame.style.height = page.offsetHeight + 2 + 'px'; }).observe(page);
  }, ...source });
  return frame;
}

// Runs the work of a form: button, bar and status tell that it runs, an error is shown where the result would be.
export function work(form, result, run) {
  form.addEventListener('submit', async event => {
    event.preventDefault();
    const button = form.querySelector('button');
    const bar = element('progress', { 'aria-label': 'how much is done' });
    button.disabled = true;
    result.replaceChildren(bar);
    result.setAttribute('aria-busy', 'true');
    say('working');
    try { await run(bar); say('done'); } catch (e) {
      if (e.name === 'AbortError') { say(''); return; }
      result.prepend(element('p.error', { role: 'alert' }, e.message));
      say('failed');
    } finally { bar.remove(); button.disabled = false; result.removeAttribute('aria-busy'); }
  });
}
