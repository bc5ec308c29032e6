// One custom element a view. Each builds its form, asks the server and shows what comes back.
import { blob, choice, element, field, framed, get, post, stream, table, work } from '/ui/lib.js';

const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442', '#999999', '#7a5195', '#2f4b7c'];
const POLARITY = ['#0072b2', '#d55e00']; // darker, brighter: at least 3 : 1 on both grounds

function input(id, type, value, more) { return element('input', { id, type, value, ...more }); }

class View extends HTMLElement {
  left = new AbortController();
  connectedCallback() {
    this.build().catch(e => this.append(element('p.error', { role: 'alert' }, e.message)));
  }
  disconnectedCallback() { this.left.abort(); }
  // what the server streams, until the view is left
  stream(path, body, on) { return stream(path, body, on, this.left.signal); }
  value(id) { return this.querySelector('#' + id).value; }
  number(id) { return Number(this.value(id)); }
}

class Runs extends View {
  async build() {
    const [run] = this.path;
    if (run) { await this.one(run); return; }
    this.append(element('h1', {}, 'Runs'), element('p.mute', {}, 'Every command that leaves files leaves a record of its arguments, machine, seed and results.'));
    const runs = await get('runs');
    if (!runs.length) this.append(element('p', {}, 'There are none yet: ./spillway demo makes the first.'));
    this.append(element('ul.rows', {}, runs.map(r => element('li', {}, element('a', { href: '#runs/' + r.name },
      element('span', {}, r.command), element('span.mute', {}, r.startedAt ? r.startedAt.slice(0, 19).replace('T', ' ') + ' UTC, ' + r.seconds.toFixed(1) + ' s' : ''))))));
  }

  async one(name) {
    const run = await get('runs/' + encodeURIComponent(name));
    const { results, ...about } = run.record;
    this.append(element('p', {}, element('a', { href: '#runs' }, 'All runs')), element('h1', {}, about.command ?? name),
      element('p.mute', {}, ['./spillway', about.command, ...about.arguments ?? []].join(' ')));
    for (const file of run.files) {
      const data = await blob('runs/' + encodeURIComponent(name) + '/' + encodeURIComponent(file));
      const address = URL.createObjectURL(data);
      if (/\.(png|gif|svg)$/.test(file)) {
        this.append(element('figure', {}, element('img', { src: address, alt: file }), element('figcaption', {}, file)));
      } else if (file.endsWith('.html')) {
        this.append(framed(file, { src: address }));
      } else {
        this.append(element('p', {}, element('a', { href: address, download: file }, file)));
      }
    }
    this.append(element('h2', {}, 'Results'), element('pre', { tabindex: 0 }, JSON.stringify(results, null, 2)),
      element('h2', {}, 'Record'), element('pre', { tabindex: 0 }, JSON.stringify(about, null, 2)));
  }
}

class Planner extends View {
  async build() {
    const { models, methods, cluster } = await get('planner');
    const result = element('div', { 'aria-live': 'polite' });
    const text = element('textarea', { id: 'cluster', spellcheck: 'false' });
    text.value = cluster;
    const upload = element('input', { id: 'upload', type: 'file', accept: '.yaml,.yml', onchange: async () => { if (upload.files[0]) text.value = await upload.files[0].text(); } });
    const form = element('form', {},
      field('Model', choice('model', models, 'gpt-18.4b')), field('Global batch', input('batch', 'number', 256, { min: 1 })),
      field('Tokens of a sequence', input('sequence', 'number', 2048, { min: 1 })), field('Method', choice('method', methods, 'SPILLWAY')),
      field('Cluster from a file', upload), field('Cluster (YAML)', text, true), element('button', {}, 'Plan'));
    work(form, result, async () => {
      const answer = await post('planner', { cluster: text.value, model: this.value('model'), method: this.value('method'), globalBatch: this.number('batch'), sequence: this.number('sequence') });
      result.append(framed('Plans, timeline, placement and arguments', { srcdoc: answer.page }));
    });
    this.append(element('h1', {}, 'Plan a training job'), element('p.mute', {}, 'How to cut a model over this cluster, and which accelerator takes which rank.'), form, result);
  }
}

class Simulator extends View {
  async build() {
    const { programs, systems } = await get('simulator');
    const result = element('div', {});
    const form = element('form', {},
      field('Program', choice('program', programs, 'is')),
      field('Systems', choice('systems', systems, ['paper-core', 'paper-core-l1'].filter(s => systems.includes(s)).length ? ['paper-core', 'paper-core-l1'] : systems.slice(0, 1), true)),
      field('Rates of the fast clock', input('clocks', 'text', '4GHz,20GHz,100GHz')), element('button', {}, 'Run'));
    work(form, result, async bar => {
      const chosen = [...this.querySelector('#systems').selectedOptions].map(o => o.value).join(',');
      const results = [];
      await this.stream('simulator', { program: this.value('program'), systems: chosen, clocks: this.value('clocks').replaceAll(' ', '') }, {
        points: n => { bar.max = n; bar.value = 0; },
        result: r => { results.push(r); bar.value = results.length; },
      });
      result.append(this.stacks(results), table(['system', 'GHz', 'CPI', 'ms', 'host MIPS'],
        results.map(r => [r.system, r.clockHertz / 1e9, r.cpi.toFixed(3), (r.seconds * 1e3).toFixed(3), r.millionsPerSecond.toFixed(1)])));
    });
    this.append(element('h1', {}, 'Simulate'), element('p.mute', {}, 'Where the time of a program goes as the clock rises and caches follow or do not.'), form, result);
  }

  // simulated milliseconds by cause, one bar a point: shorter is faster
  stacks(results) {
    const causes = [...new Set(results.flatMap(r => Object.keys(r.stack)))].filter(c => results.some(r => r.stack[c] > 0.002 * r.cycles));
    const times = results.map(r => Object.fromEntries(causes.map(c => [c, (r.stack[c] ?? 0) / r.coreHertz * 1e3])));
    const most = Math.max(...results.map(r => r.seconds * 1e3));
    const chart = element('div.stacks', {}, results.flatMap((r, i) => {
      const parts = causes.map((c, k) => [c, times[i][c], COLOURS[k % COLOURS.length]]);
      return [
        element('span', {}, `${r.system} ${r.clockHertz / 1e9} GHz`),
        element('div.bar', { role: 'img', 'aria-label': parts.map(([c, ms]) => `${c} ${ms.toFixed(3)} ms`).join(', ') },
          parts.map(([c, ms, colour]) => element('i', { title: `${c}: ${ms.toFixed(3)} ms`, style: `background:${colour};width:calc(${ms / most} * (100% - 5rem))` })),
          element('span', {}, (r.seconds * 1e3).toFixed(2) + ' ms'))];
    }));
    const legend = element('ul.legend', {}, causes.map((c, k) => element('li', {}, element('span', { style: 'background:' + COLOURS[k % COLOURS.length] }), c)));
    return element('figure', {}, chart, legend, element('figcaption', {}, 'Simulated time by cause: a shorter bar is a faster machine. Host MIPS: millions of instructions that the simulation itself got through in a second.'));
  }
}

class Chat extends View {
  async build() {
    const example = await get('chat');
    const result = element('div', {});
    const text = element('textarea', { id: 'document', spellcheck: 'false' });
    text.value = example.document;
    const question = element('textarea', { id: 'question', spellcheck: 'false', style: 'min-height:4rem' });
    question.value = example.question;
    const form = element('form', {},
      field('Document', text, true), field('Question', question, true),
      field('Policy', choice('policy', example.policies, 'locret')), field('Entries kept a head', input('budget', 'number', 64, { min: 8, max: 400 })),
      element('button', {}, 'Ask'));
    work(form, result, async () => {
      const answer = element('p.answer', { 'aria-live': 'polite' });
      const figures = element('p.mute', {});
      const shown = element('div.document', { tabindex: 0, role: 'region', 'aria-label': 'The document: what the cache holds is marked' });
      let spans = [];
      result.append(element('h2', {}, 'Answer'), answer, figures,
        element('ul.legend', {}, element('li', {}, element('span', { style: 'background:var(--kept)' }), 'held by half of all heads or more'),
          element('li', {}, element('span', { style: 'border-bottom:3px solid var(--kept)' }), 'held by some'), element('li', {}, 'struck through: forgotten')), shown);
      await this.stream('chat', { document: text.value, question: question.value, policy: this.value('policy'), budget: this.number('budget') }, {
        tokens: pieces => { spans = pieces.map(p => element('span', {}, p)); shown.append(...spans); },
        kept: shares => shares.forEach((s, i) => { if (spans[i]) { spans[i].className = s >= 50 ? 'kept' : s > 0 ? 'some' : 'gone'; spans[i].title = s + ' % of layers and heads'; } }),
        piece: p => answer.append(p),
        done: d => { figures.textContent = `${d.tokens} tokens read; the cache peaked at ${(d.peakBytes / 1024).toFixed(0)} KiB, all entries would take ${(d.fullBytes / 1024).toFixed(0)} KiB`; },
      });
    });
    this.append(element('h1', {}, 'Chat over a long document'),
      element('p.mute', {}, 'The answer comes from a cache of fixed size. After every piece of the document the marks show what the cache still holds. The example hides one number: ' + example.expected.trim() + '.'), form, result);
  }
}

class Images extends View {
  async build() {
    const { classes, strategies } = await get('images');
    const result = element('div', {});
    const form = element('form', {},
      field('Shape', choice('class', classes, 'triangle')), field('Strategy', choice('strategy', strategies, 'pcpp')),
      field('Ranks', choice('ranks', ['2', '4', '8'], '4')), field('Steps', input('steps', 'number', 12, { min: 2, max: 100 })),
      field('Seed', input('seed', 'number', 1, { min: 0 })), element('button', {}, 'Draw'));
    work(form, result, async bar => {
      const count = element('p.mute', {});
      const one = element('img', { alt: 'drawn by one device' }), many = element('img', { alt: 'drawn by ranks that share it' });
      const cut = percent => { many.style.clipPath = `inset(0 0 0 ${percent}%)`; };
      const slider = input('slider', 'range', 50, { min: 0, max: 100, 'aria-label': 'how much of the picture is one device’s', oninput: () => cut(slider.value) });
      const difference = element('canvas', { role: 'img', 'aria-label': 'where the two pictures differ' });
      const figures = element('p', {});
      cut(50);
      const live = element('img.live', { alt: 'the picture as it is drawn', hidden: true, width: 192, height: 192 });
      result.append(count, live);
      await this.stream('images', { class: this.value('class'), strategy: this.value('strategy'), ranks: this.number('ranks'), steps: this.number('steps'), seed: this.number('seed') }, {
        steps: n => { bar.max = n; bar.value = 0; },
        step: n => { bar.value += n; count.textContent = `step ${bar.value} of ${bar.max}`; },
        preview: data => { live.src = 'data:image/png;base64,' + data; live.hidden = false; },
        one: data => { one.src = 'data:image/png;base64,' + data; result.append(element('div.compare', {}, one, many), slider, element('p.mute', {}, 'Left of the slider: one device. Right: ranks that share the picture.')); },
        many: data => { many.src = 'data:image/png;base64,' + data; },
        done: d => { figures.textContent = `${d.psnr.toFixed(1)} dB to one device; the busiest rank receives ${(d.bytes / 1024).toFixed(1)} KiB a displaced step`; },
      });
      count.remove();
      live.remove();
      await Promise.all([one.decode(), many.decode()]);
      const largest = this.differ(one, many, difference);
      const scale = largest === 0 ? 'The two pictures are equal in every pixel.'
        : `Where they differ: black equal, full brightness the largest difference of a colour, ${largest} of 255 steps.`;
      result.append(figures, element('figure', {}, difference, element('figcaption', {}, scale)));
    });
    this.append(element('h1', {}, 'One picture, many devices'), element('p.mute', {}, 'The same noise drawn by one device and by ranks that exchange only what matters.'), form, result);
  }

  /** Draws the differences in proportion to the largest, which is returned: of 255 steps of a colour. */
  differ(a, b, canvas) {
    canvas.width = a.naturalWidth;
    canvas.height = a.naturalHeight;
    canvas.style.cssText = 'width:min(100%,384px);image-rendering:pixelated';
    const pen = canvas.getContext('2d', { willReadFrequently: true });
    const pixels = image => { pen.drawImage(image, 0, 0); return pen.getImageData(0, 0, canvas.width, canvas.height); };
    const first = pixels(a), second = pixels(b);
    let largest = 0;
    for (let i = 0; i < first.data.length; i++) if (i % 4 !== 3) largest = Math.max(largest, Math.abs(first.data[i] - second.data[i]));
    for (let i = 0; i < first.data.length; i++) if (i % 4 !== 3) first.data[i] = 255 * Math.abs(first.data[i] - second.data[i]) / Math.max(1, largest);
    pen.putImageData(first, 0, 0);
    return largest;
  }
}

class Events extends View {
  async build() {
    const result = element('div', {});
    const upload = input('file', 'file', null, {});
    const form = element('form', {},
      field('Recording (N-MNIST, AEDAT, N-CARS, HDF5)', upload), field('or a digit drawn and seen by an emulated camera', choice('digit', [...'0123456789'], '3')),
      element('button', {}, 'Show'));
    work(form, result, async () => {
      const body = { digit: this.number('digit') };
      if (upload.files[0]) { body.file = await base64(upload.files[0]); body.name = upload.files[0].name; }
      const r = await post('events', body);
      result.append(element('p', {}, `${r.events} events in ${(r.durationUs / 1000).toFixed(1)} ms on ${r.width} x ${r.height}` + (r.shownEvery > 1 ? `, every ${r.shownEvery}th is drawn` : '')),
        element('figure', {}, this.raster(r), r.kinds === 2 ? this.legend() : null, element('figcaption', {}, 'Time to the right, address upward.')),
        element('figure', {}, element('img', { src: 'data:image/gif;base64,' + r.frames, alt: 'the recording as moving picture' }), element('figcaption', {}, 'As a moving picture.')));
    });
    this.append(element('h1', {}, 'Events'), element('p.mute', {}, 'What an event camera or an artificial ear sends: no frames, only changes.'), form, result);
  }

  legend() {
    return element('ul.legend', {}, ['darker', 'brighter'].map((text, polarity) =>
      element('li', {}, element('span', { style: 'background:' + POLARITY[polarity] }), text)));
  }

  // a point of two pixels an event; the ground is the page's
  raster(r) {
    const width = Math.max(300, this.clientWidth), height = 320;
    const canvas = element('canvas.raster', { width, height, role: 'img', 'aria-label': `${r.events} events over time` });
    const pen = canvas.getContext('2d');
    const addresses = r.width * r.height;
    for (const polarity of [0, 1]) {
      pen.fillStyle = POLARITY[r.kinds === 2 ? polarity : 1];
      for (let i = 0; i < r.timesUs.length; i++) {
        if (r.polarities[i] === polarity) pen.fillRect(r.timesUs[i] / Math.max(1, r.durationUs) * (width - 2), (height - 2) * (1 - r.places[i] / addresses), 2, 2);
      }
    }
    return canvas;
  }
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(',') + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

export const VIEWS = {
  runs: { title: 'Runs', type: Runs },
  planner: { title: 'Planner', type: Planner },
  simulator: { title: 'Simulator', type: Simulator },
  chat: { title: 'Chat', type: Chat },
  images: { title: 'Images', type: Images },
  events: { title: 'Events', type: Events },
};
