import { englishTexts } from "./labels.ts";

/** A text whose form depends on `{count}`, by the categories of `Intl.PluralRules`. */
export interface PluralText {
  readonly zero?: string;
  readonly one?: string;
  readonly two?: string;
  readonly few?: string;
  readonly many?: string;
  readonly other: string;
}

type Text<Entry> = Entry extends string
  ? string
  : Entry extends { readonly other: string }
    ? PluralText
    : { readonly [Key in keyof Entry]: Text<Entry[Key]> };

/** Every text of the components in one language. `{name}` stands for a value. */
export type AgentTexts = Text<typeof englishTexts>;

/** One language of the components. To change single words, spread one and replace them. */
export interface AgentTranslation {
  /** BCP 47; decides plurals, numbers and times, and is told to the model. */
  readonly locale: string;
  readonly dir: "ltr" | "rtl";
  readonly texts: AgentTexts;
}

/** The built-in language. Others are entries of their own: `@valet/agent-react/locales/de`. */
export const english: AgentTranslation = { locale: "en", dir: "ltr", texts: englishTexts };

type Placeholder<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholder<Rest>
  : never;

type Fill<Template extends string> = (
  values: {
    readonly [Name in Placeholder<Template>]: string | number;
  },
) => string;

type Label<Entry> = Entry extends string
  ? [Placeholder<Entry>] extends [never]
    ? string
    : Fill<Entry>
  : Entry extends { readonly other: infer Other extends string }
    ? Fill<Other>
    : { readonly [Key in keyof Entry]: Label<Entry[Key]> };

/** The texts as components use them: a string, or a function of the values that it needs. */
export type Labels = Label<typeof englishTexts>;

/** Makes a language ready for use. A text that it lacks is taken from English. */
export function createLabels({ locale, texts }: AgentTranslation): Labels {
  const rules = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });

  const fill = (template: string, values: Values): string =>
    template.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name] ?? "";
      return typeof value === "number" ? numbers.format(value) : value;
    });
  const toLabel = (english: Entry, own: Entry = english): unknown => {
    if (typeof english === "string") {
      const template = typeof own === "string" ? own : english;
      return english.includes("{") ? (values: Values) => fill(template, values) : template;
    }
    const entries = (typeof own === "string" ? english : own) as EntryGroup;
    if (typeof english.other === "string") {
      return (values: Values) => {
        const form = entries[rules.select(Number(values.count))] ?? entries.other;
        return fill(form as string, values);
      };
    }
    return Object.fromEntries(
      Object.entries(english).map(([key, entry]) => [key, toLabel(entry, entries[key])]),
    );
  };
  return toLabel(englishTexts, texts as unknown as EntryGroup) as Labels;
}

type Values = Readonly<Record<string, string | number>>;
type Entry = string | EntryGroup;
interface EntryGroup {
  readonly [key: string]: Entry;
}
