/** Rows of a live table, written into the DOM directly: cells change several times a second, React would re-render. */
export interface LiveRow {
  /** CSS colour of the swatch before the first cell. */
  colour?: string;
  cells: readonly string[];
  /** Its values are old. */
  silent?: boolean;
  /** Present: the first cell is a switch, in this state, known by `id`. */
  pressed?: boolean;
  id?: string;
}

function buildRow(row: LiveRow): HTMLTableRowElement {
  const tr = document.createElement('tr');
  row.cells.forEach((_, i) => {
    const td = document.createElement('td');
    let home: HTMLElement = td;
    if (i === 0 && row.pressed !== undefined) {
      home = document.createElement('button');
      home.setAttribute('type', 'button');
      td.append(home);
    }
    if (i === 0 && row.colour !== undefined) home.append(document.createElement('i'));
    home.append(document.createTextNode(''));
    tr.append(td);
  });
  return tr;
}

export function renderRows(body: HTMLTableSectionElement, rows: readonly LiveRow[]): void {
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((row, at) => {
    let tr = body.rows[at];
    if (tr === undefined || tr.cells.length !== row.cells.length) {
      const built = buildRow(row);
      if (tr === undefined) body.append(built);
      else tr.replaceWith(built);
      tr = built;
    }
    tr.toggleAttribute('data-silent', row.silent === true);
    row.cells.forEach((text, i) => {
      const cell = tr.cells[i]!;
      const button = cell.querySelector('button');
      const node = (button ?? cell).lastChild!;
      if (node.nodeValue !== text) node.nodeValue = text;
      if (i === 0) {
        cell.title = text;
        button?.setAttribute('aria-pressed', String(row.pressed));
        if (button !== null) button.dataset['id'] = row.id ?? '';
        const swatch = cell.querySelector('i');
        if (swatch !== null && row.colour !== undefined) swatch.style.background = row.colour;
      }
    });
  });
}
