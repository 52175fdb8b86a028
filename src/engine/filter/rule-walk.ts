import { bitIndex, settleAbsence } from "./absence.ts";
import { type FieldTable, testField } from "./field-table.ts";
import { DIRECT_LOOKUPS_MAX, DOTTED_LOOKUPS_MAX, EVENT_ARRAY_DEPTH_MAX } from "./filter-limits.ts";
import { addToSlices, equalSlices, type FieldBits, type RuleBits } from "./rule-bits.ts";
import type { RuleNode } from "./rule-tree.ts";
import { work } from "./work.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Tests an event against the rules of a tree in one walk whose cost grows with the event's size only.
 *
 * Array consistency (filters §4): two fields of a rule may not be taken from different elements of one array. As a
 * rule's fields form a tree and so does the event, an array's element is chosen for all fields below it together: the
 * rules that hold for an array are those that hold for one of its elements. Plain values of an array are free, as in
 * AWS: they bind no element.
 */
export class RuleWalk {
  readonly #root: RuleNode;
  #directLookups = 0;
  #dottedLookups = 0;

  // Further results of the latest call below, beside the rule bits that it returned.
  /** Fields that may be absent and were found. */
  #present: FieldBits = 0;
  /** Arrays to be used again: an event may have ten thousands of small arrays. */
  readonly #spareGiven: RuleBits[][] = [];

  /** Rules that hold when an array's own field is left aside. */
  #childrenOfArray: RuleBits = 0;
  /** An array has a plain value, at any depth of arrays. */
  #isFieldInArray = false;

  constructor(root: RuleNode) {
    this.#root = root;
  }

  matches(document: JsonObject): boolean {
    this.#directLookups = 0;
    this.#dottedLookups = 0;
    return this.#object(this.#root, document, false) !== 0;
  }

  #value(node: RuleNode, value: unknown, isInArray: boolean): RuleBits {
    if (typeof value !== "object" || value === null) {
      this.#present = node.absentBit;
      if (node.field === undefined) return node.childrenWhenAbsent;
      return (node.untested | testField(node.field, value)) & node.childrenWhenAbsent;
    }
    if (Array.isArray(value)) {
      return node.children.length === 0 ? this.#plainArray(node, value) : this.#array(node, value, 0);
    }
    if (node.children.length === 0) {
      this.#present = 0;
      return node.whenAbsent;
    }
    return node.fieldWhenAbsent & this.#object(node, value as JsonObject, isInArray);
  }

  /** Rules that hold for what is below `node`. */
  #object(node: RuleNode, object: JsonObject, isInArray: boolean): RuleBits {
    const lookups = node.children.length + node.dotted.length;
    if (isInArray && this.#directLookups + lookups > DIRECT_LOOKUPS_MAX)
      return this.#objectByKeys(node, object);
    this.#directLookups += lookups;
    work.steps += lookups;
    const needsPresence = isInArray && node.hasAbsent;
    let rules = node.all;
    let present = 0;
    for (const child of node.children) {
      const value = ownValue(object, child);
      if (value === undefined) {
        rules &= child.whenAbsent;
      } else {
        rules &= this.#value(child, value, isInArray);
        present |= this.#present;
      }
      if (rules === 0 && !needsPresence) break;
    }
    this.#present = present;
    if (node.dotted.length > 0 && (rules !== node.all || node.hasAbsent) && hasDottedKey(node, object)) {
      return this.#dottedObject(node, object, isInArray, rules);
    }
    return rules;
  }

  /** The same by the object's own keys: for arrays of many small objects, when the rules have many keys. */
  #objectByKeys(node: RuleNode, object: JsonObject): RuleBits {
    let rules = node.all;
    let present = 0;
    let isDotted = false;
    let found = 0;
    for (const key in object) {
      work.steps++;
      const child = node.byKey.get(key);
      if (child === undefined) {
        isDotted ||= node.dotted.length > 0 && node.byKey.has(key);
        continue;
      }
      if (!Object.hasOwn(object, key) || object[key] === undefined) continue;
      if (found++ === 0) node.countSlices.fill(0);
      rules &= this.#value(child, object[key], true);
      present |= this.#present;
      addToSlices(node.countSlices, node.all & ~child.whenAbsent);
    }
    if (found === 0) rules = node.childrenWhenAbsent;
    else rules &= equalSlices(node.countSlices, node.neededSlices);
    this.#present = present;
    return isDotted ? this.#dottedObject(node, object, true, rules) : rules;
  }

  /** An array whose own plain values are all that the rules ask for: any of them will do, at any depth of arrays. */
  #plainArray(node: RuleNode, array: readonly unknown[]): RuleBits {
    this.#isFieldInArray = false;
    const rules = node.field === undefined ? 0 : this.#plainValues(node.field, array, 0);
    this.#present = this.#isFieldInArray ? node.absentBit : 0;
    return this.#isFieldInArray ? node.untested | rules : node.whenAbsent;
  }

  #plainValues(field: FieldTable, array: readonly unknown[], depth: number): RuleBits {
    let rules = 0;
    for (const value of array) {
      work.steps++;
      if (typeof value !== "object" || value === null) {
        this.#isFieldInArray = true;
        rules |= testField(field, value);
      } else if (Array.isArray(value) && depth < EVENT_ARRAY_DEPTH_MAX) {
        rules |= this.#plainValues(field, value, depth + 1);
      }
      if (rules === field.rules) break;
    }
    return rules;
  }

  #array(node: RuleNode, array: readonly unknown[], depth: number): RuleBits {
    const { field } = node;
    let free = 0;
    let nested = 0;
    let some = 0;
    let present = 0;
    let isFieldPresent = false;
    let given: RuleBits[] | undefined;
    for (const element of depth < EVENT_ARRAY_DEPTH_MAX ? array : []) {
      work.steps++;
      if (typeof element !== "object" || element === null) {
        if (field === undefined) continue;
        isFieldPresent = true;
        present |= node.absentBit;
        free |= testField(field, element);
        continue;
      }
      let rules: RuleBits;
      if (Array.isArray(element)) {
        const withField = this.#array(node, element, depth + 1);
        rules = this.#childrenOfArray;
        if (this.#isFieldInArray) {
          isFieldPresent = true;
          nested |= withField;
        }
      } else {
        rules = this.#object(node, element as JsonObject, true);
      }
      some |= rules;
      present |= this.#present;
      let leading = this.#present & node.leadingBits;
      if (leading !== 0) given ??= this.#newGiven(node);
      while (given !== undefined && leading !== 0) {
        const index = bitIndex(leading);
        given[index] = (given[index] ?? 0) | rules;
        leading ^= 1 << index;
      }
      if (some === node.all && !node.hasAbsent && field === undefined) break;
    }
    const children = settleAbsence(node, some, present, given);
    if (given !== undefined) this.#spareGiven.push(given);
    this.#childrenOfArray = children;
    this.#isFieldInArray = isFieldPresent;
    this.#present = present;
    const tested = node.all & ~node.untested;
    const withField = isFieldPresent
      ? (free & children) | (nested & tested)
      : node.fieldWhenAbsent & children;
    return (node.untested & children) | (tested & withField);
  }

  /** By the number of a leading field's bit, the rules that hold for an element which has the field: none yet. */
  #newGiven(node: RuleNode): RuleBits[] {
    const given = this.#spareGiven.pop() ?? [];
    for (let i = bitIndex(node.leadingBits); i >= 0; i--) given[i] = 0;
    return given;
  }

  /**
   * An object with keys like `"a.b"`, which AWS cannot tell from nested ones. Unless the event has very many of them:
   * then they count as plain names, and `plain` is the answer.
   */
  #dottedObject(node: RuleNode, object: JsonObject, isInArray: boolean, plain: RuleBits): RuleBits {
    const present = this.#present;
    if (this.#affordsDotted(node.children.length + node.dotted.length)) {
      return this.#objects(node, [object], isInArray);
    }
    this.#present = present;
    return plain;
  }

  /** Objects that all stand for `node`: each field may come from any of them. */
  #objects(node: RuleNode, objects: readonly JsonObject[], isInArray: boolean): RuleBits {
    let rules = node.all;
    let present = 0;
    for (const child of node.children) {
      const values: unknown[] = [];
      for (const object of objects) {
        const value = ownValue(object, child);
        if (value !== undefined) values.push(value);
        for (const dotted of child.dottedFromParent) {
          const below = ownValue(object, dotted);
          if (below !== undefined) values.push({ __proto__: null, [dotted.rest]: below });
        }
      }
      if (values.length === 0) {
        rules &= child.whenAbsent;
      } else {
        rules &=
          values.length === 1
            ? this.#value(child, values[0], isInArray)
            : this.#places(child, values, isInArray);
        present |= this.#present;
      }
    }
    this.#present = present;
    return rules;
  }

  /**
   * A field that the event spells in several ways. Arrays among them are taken apart: where one name has several
   * places, the elements of an array are no longer held together.
   */
  #places(node: RuleNode, values: readonly unknown[], isInArray: boolean): RuleBits {
    const plain: unknown[] = [];
    const objects: JsonObject[] = [];
    this.#takeApart(values, plain, objects, 0);
    let rules = node.fieldWhenAbsent;
    if (plain.length > 0 && node.field !== undefined) {
      rules = node.untested;
      for (const value of plain) rules |= testField(node.field, value);
    }
    let children = node.childrenWhenAbsent;
    let present = 0;
    if (
      objects.length > 0 &&
      this.#affordsDotted(objects.length * (node.children.length + node.dotted.length))
    ) {
      children = this.#objects(node, objects, isInArray);
      present = this.#present;
    }
    this.#present = plain.length > 0 ? present | node.absentBit : present;
    return rules & children;
  }

  #takeApart(values: readonly unknown[], plain: unknown[], objects: JsonObject[], depth: number): void {
    for (const value of values) {
      if (!this.#affordsDotted(1)) return;
      if (Array.isArray(value)) {
        if (depth < EVENT_ARRAY_DEPTH_MAX) this.#takeApart(value, plain, objects, depth + 1);
      } else if (typeof value === "object" && value !== null) {
        objects.push(value as JsonObject);
      } else {
        plain.push(value);
      }
    }
  }

  #affordsDotted(lookups: number): boolean {
    if (this.#dottedLookups + lookups > DOTTED_LOOKUPS_MAX) return false;
    this.#dottedLookups += lookups;
    work.steps += lookups;
    return true;
  }
}

function ownValue(
  object: JsonObject,
  name: { readonly key: string; readonly isInherited: boolean },
): unknown {
  if (name.isInherited && !Object.hasOwn(object, name.key)) return undefined;
  return object[name.key];
}

function hasDottedKey(node: RuleNode, object: JsonObject): boolean {
  for (const dotted of node.dotted) if (ownValue(object, dotted) !== undefined) return true;
  return false;
}
