/** Logical names of a template: letters and digits alone, each once. */
export class TemplateNames {
  readonly #taken = new Set<string>();

  /** As near to the name as may be; `otherwise`: where none of its characters may stand there. */
  of(name: string, otherwise: string): string {
    const clean = name.replaceAll(/[^A-Za-z0-9]/g, "") || otherwise;
    let logical = clean;
    for (let number = 2; this.#taken.has(logical); number++) logical = `${clean}${number}`;
    this.#taken.add(logical);
    return logical;
  }
}
