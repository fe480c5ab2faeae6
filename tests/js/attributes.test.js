import assert from 'node:assert/strict';
import { test } from 'node:test';

/** As much of an element as its attributes need. */
globalThis.HTMLElement = class {
  #attributes = new Map();
  getAttribute(name) {
    return this.#attributes.get(name) ?? null;
  }
  setAttribute(name, value) {
    this.#attributes.set(name, String(value));
  }
  removeAttribute(name) {
    this.#attributes.delete(name);
  }
};

const { ATTRIBUTES, DISPLAY, Mirrored, RESTART, numberOf } = await import('../../site_template/js/attributes.js');

function elementWith(attributes) {
  const element = new Mirrored();
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

test('the attributes of the contract', () => {
  const contract = ['src', 'figure', 'layer', 'layers', 'images', 'image', 'group', 'row', 'col', 'style-map', 'colormap', 'range', 'smooth', 'opacity', 'series', 'factors', 'compare', 'k', 'spacing', 'own', 'examples', 'score', 'background', 'threshold', 'method', 'points', 'color', 'channel', 'component'];
  assert.deepEqual([...ATTRIBUTES].sort(), contract.sort());
  assert.ok([...Object.keys(DISPLAY), ...RESTART].every((name) => ATTRIBUTES.includes(name)));
});

test('every attribute of the display changes its own member and no other', () => {
  const values = { 'style-map': 'spotlight', colormap: 'viridis', range: 'unit', smooth: 'true', opacity: '0.1' };
  assert.deepEqual(Object.keys(DISPLAY).sort(), Object.keys(values).sort());
  const usual = elementWith({}).display;
  assert.deepEqual(Object.values(DISPLAY).sort(), Object.keys(usual).sort());
  for (const [name, member] of Object.entries(DISPLAY)) {
    const { display } = elementWith({ [name]: values[name] });
    assert.deepEqual(Object.keys(usual).filter((key) => display[key] !== usual[key]), [member]);
  }
});

for (const [name, property] of [['src', 'src'], ['figure', 'figure'], ['layer', 'layer'], ['image', 'image'], ['group', 'group'], ['range', 'range'], ['colormap', 'colormap'], ['style-map', 'styleMap'], ['series', 'series'], ['factors', 'factors'], ['compare', 'compare'], ['spacing', 'spacing'], ['own', 'own']]) {
  test(`${property} mirrors ${name}`, () => {
    const element = elementWith({});
    assert.equal(element[property], '');
    element[property] = 'x';
    assert.equal(element.getAttribute(name), 'x');
    assert.equal(element[property], 'x');
    element[property] = null;
    assert.equal(element.getAttribute(name), null);
  });
}

for (const name of ['row', 'col', 'opacity', 'k']) {
  test(`${name} is a number or null`, () => {
    for (const [text, value] of [['3', 3], [' 0.5 ', 0.5], ['0', 0], ['-1', -1], ['', null], ['  ', null], ['three', null], ['3px', null], ['NaN', null]]) {
      assert.equal(elementWith({ [name]: text })[name], value, JSON.stringify(text));
    }
    const element = elementWith({});
    assert.equal(element[name], null);
    element[name] = 7;
    assert.equal(element.getAttribute(name), '7');
    assert.equal(numberOf(element, name), 7);
    element[name] = undefined;
    assert.equal(element.getAttribute(name), null);
  });
}

const IDS = [['', []], ['dog', ['dog']], [' dog , cat ', ['dog', 'cat']], ['["a, b", "ü"]', ['a, b', 'ü']], [' ["a"] ', ['a']], ['[1]', ['1']], ['[]', []]];
for (const name of ['images', 'layers']) {
  for (const [text, ids] of IDS) {
    test(`${name} ${JSON.stringify(text)}`, () => assert.deepEqual(elementWith({ [name]: text })[name], ids));
  }

  test(`${name} that are half an array are refused`, () => {
    assert.throws(() => elementWith({ [name]: '["dog"' })[name], new RegExp(`the attribute ${name} is \\["dog"; expected a JSON array of ids, or ids between commas`));
  });

  test(`${name} set are ${name} read, whatever their ids`, () => {
    const element = elementWith({});
    assert.deepEqual(element[name], []);
    for (const ids of [['dog'], ['a, b', '[c]', '"d"'], []]) {
      element[name] = ids;
      assert.deepEqual(element[name], ids);
    }
    assert.equal(element.getAttribute(name), null);
  });
}

for (const [text, value] of [[null, 'auto'], ['auto', 'auto'], ['', true], ['true', true], ['false', false]]) {
  test(`smooth ${JSON.stringify(text)} is ${value}`, () => assert.equal(elementWith(text === null ? {} : { smooth: text }).smooth, value));
}

test('smooth set is smooth read', () => {
  const element = elementWith({});
  for (const value of [true, false, 'auto']) {
    element.smooth = value;
    assert.equal(element.smooth, value);
  }
});

test('the display has defaults', () => {
  const { opacity, ...rest } = elementWith({}).display;
  assert.deepEqual(rest, { style: 'heat', colormap: 'inferno', range: 'layer', smooth: 'auto' });
  assert.ok(opacity > 0.5 && opacity < 1);
});

test('the display takes what is known', () => {
  const display = { 'style-map': 'spotlight', colormap: 'diverging', range: 'patch', smooth: 'false', opacity: '0.25' };
  assert.deepEqual(elementWith(display).display, { style: 'spotlight', colormap: 'diverging', range: 'patch', smooth: false, opacity: 0.25 });
});

test('unknown display values count as the default, opacity stays within 0 and 1', () => {
  const odd = { 'style-map': 'Heat', colormap: 'jet', range: '0..1', opacity: '7' };
  assert.deepEqual(elementWith(odd).display, { style: 'heat', colormap: 'inferno', range: 'layer', smooth: 'auto', opacity: 1 });
  assert.equal(elementWith({ opacity: '-3' }).display.opacity, 0);
  assert.equal(elementWith({ opacity: 'half' }).display.opacity, elementWith({}).display.opacity);
});
