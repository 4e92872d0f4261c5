// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, test, vi } from "vitest";
import { AgentChat } from "./agent-chat.tsx";
import { AgentProvider } from "./agent-provider.tsx";
import { arabic } from "./locales/ar.ts";
import { german } from "./locales/de.ts";
import { type AgentTranslation, createLabels, english } from "./translation.ts";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

/** Every text with its path; the forms of a plural are one. */
function textsOf(translation: AgentTranslation): Map<string, string | Record<string, string>> {
  const found = new Map<string, string | Record<string, string>>();
  const walk = (path: string, entry: object): void => {
    for (const [key, value] of Object.entries(entry)) {
      const here = `${path}.${key}`;
      if (typeof value === "string" || "other" in value) found.set(here, value);
      else walk(here, value);
    }
  };
  walk("", translation.texts);
  return found;
}

const placeholders = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

describe.each([english, german, arabic])("the texts in $locale", (translation) => {
  test("are the same ones as in English, none of them empty, with the same placeholders", () => {
    const own = textsOf(translation);
    const texts = textsOf(english);
    expect([...own.keys()]).toEqual([...texts.keys()]);
    for (const [path, text] of texts) {
      const other = own.get(path);
      if (typeof text === "string") {
        expect([path, typeof other]).toEqual([path, "string"]);
        expect([path, placeholders(other as string)]).toEqual([path, placeholders(text)]);
        expect([path, other === ""]).toEqual([path, text === ""]);
      } else {
        expect([path, placeholders((other as Record<string, string>).other ?? "")]).toEqual([
          path,
          placeholders(text.other ?? ""),
        ]);
      }
    }
  });

  test("have a form for every category of number that the language has", () => {
    const rules = new Intl.PluralRules(translation.locale);
    expect(rules.resolvedOptions().locale).toBe(translation.locale);
    const categories = rules.resolvedOptions().pluralCategories.toSorted();
    for (const [path, forms] of textsOf(translation)) {
      if (typeof forms === "string") continue;
      expect([path, Object.keys(forms).sort()]).toEqual([path, categories]);
      for (const form of Object.values(forms)) {
        expect(placeholders(forms.other ?? "")).toEqual(expect.arrayContaining(placeholders(form)));
      }
    }
  });
});

test("a number takes the form that the language has for it", () => {
  const count = (translation: AgentTranslation, counts: readonly number[]): string[] =>
    counts.map((number) => createLabels(translation).messages({ count: number }));
  expect(count(english, [0, 1, 2, 1200])).toEqual([
    "0 messages",
    "1 message",
    "2 messages",
    "1,200 messages",
  ]);
  expect(count(german, [1, 1200])).toEqual(["1 Nachricht", "1.200 Nachrichten"]);
  const [zero, one, two, few, many] = count(arabic, [0, 1, 2, 5, 20]);
  expect([zero, one, two]).toEqual(["لا رسائل", "رسالة واحدة", "رسالتان"]);
  expect(few).toMatch(/رسائل$/);
  expect(many).toMatch(/رسالة$/);
});

test("a value is put in as it is, whatever stands in it", () => {
  const { source } = createLabels(english);
  expect(source({ number: 3, title: "{number} $& $1" })).toBe("Source 3: {number} $& $1");
});

test("a text that a translation lacks is English", () => {
  const { send: _, toolStatus: __, ...texts } = german.texts;
  const labels = createLabels({ ...german, texts: texts as typeof german.texts });
  expect([labels.send, labels.toolStatus.error, labels.stop]).toEqual([
    "Send",
    "Failed",
    "Antwort abbrechen",
  ]);
});

test("the chat speaks the provider's language, in its direction", () => {
  const chat = (translation?: AgentTranslation) => (
    <AgentProvider
      projectId="prj_1"
      integrationId="int_1"
      getSessionToken={async () => ({ token: "t", expiresAt: 1 })}
      {...(translation && { translation })}
    >
      <AgentChat />
    </AgentProvider>
  );
  const { rerender, container } = render(chat());
  const root = container.querySelector<HTMLElement>(".valet-root");
  expect(screen.getByRole("button", { name: "Send" })).toBeTruthy();
  expect([root?.lang, root?.dir]).toEqual(["en", "ltr"]);
  rerender(chat(german));
  expect(screen.getByRole("textbox", { name: "Nachricht" })).toBeTruthy();
  expect([root?.lang, root?.dir]).toEqual(["de", "ltr"]);
  rerender(chat(arabic));
  expect(screen.getByRole("button", { name: "إرسال" })).toBeTruthy();
  expect([root?.lang, root?.dir]).toEqual(["ar", "rtl"]);
});

test.each([
  [{ translation: german }, "de"],
  [{ translation: german, locale: "de-AT" }, "de-AT"],
  [{}, undefined],
])(
  "the model is told the page's language, else that of the components: %#",
  async (props, told) => {
    const bodies: Record<string, unknown>[] = [];
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
      bodies.push(JSON.parse(String(init.body)) as Record<string, unknown>);
      return new Response("{}", { status: 400 });
    });
    render(
      <AgentProvider
        projectId="prj_1"
        integrationId="int_1"
        getSessionToken={async () => ({ token: "t", expiresAt: Date.now() + 3_600_000 })}
        {...props}
      >
        <AgentChat branding={{ examplePrompts: ["Hello?"] }} />
      </AgentProvider>,
    );
    fireEvent.click(screen.getByRole("button", { name: "Hello?" }));
    await waitFor(() => expect(bodies).toHaveLength(1), { timeout: 10_000 });
    expect(bodies[0]?.locale).toBe(told);
  },
);
