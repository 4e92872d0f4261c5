"use client";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { useLabels } from "./use-labels.ts";

/** Props of {@link ArgumentsForm}. */
export interface ArgumentsFormProps {
  readonly value: Readonly<Record<string, unknown>>;
  /** Names what is asked for, to screen readers. */
  readonly label: string;
  /** Lets the call run with what stands in the form. */
  readonly onApprove: (value: Readonly<Record<string, unknown>>) => void;
  readonly onReject: () => void;
  /** Why the last approval was not taken. */
  readonly problem: string | undefined;
}

/** The arguments of a call, to be changed before it is allowed. A field for each of them. */
export function ArgumentsForm({
  value,
  label,
  onApprove,
  onReject,
  problem,
}: ArgumentsFormProps): ReactNode {
  const labels = useLabels();
  const form = useId();
  const [texts, setTexts] = useState(() =>
    Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, toText(entry)])),
  );
  const [isInvalid, setIsInvalid] = useState(false);

  function approve(event: FormEvent): void {
    event.preventDefault();
    try {
      const entries = Object.entries(value).map(([name, entry]) => [
        name,
        toValue(texts[name] ?? "", entry),
      ]);
      setIsInvalid(false);
      onApprove(Object.fromEntries(entries));
    } catch {
      setIsInvalid(true);
    }
  }
  return (
    <form className="valet-arguments" aria-label={label} onSubmit={approve}>
      {Object.entries(value).map(([name, entry], at) => (
        <div key={name} className="valet-argument">
          <label className="valet-tool-label" htmlFor={`${form}-${at}`}>
            {name}
          </label>
          <Field
            id={`${form}-${at}`}
            original={entry}
            text={texts[name] ?? ""}
            onChange={(text) => setTexts({ ...texts, [name]: text })}
          />
        </div>
      ))}
      {(isInvalid || problem !== undefined) && (
        <p className="valet-tool-error" role="alert">
          {isInvalid ? labels.invalidValue : problem}
        </p>
      )}
      <div className="valet-tool-actions">
        <button type="button" className="valet-button" onClick={onReject}>
          {labels.deny}
        </button>
        <button type="submit" className="valet-button valet-button-primary">
          {labels.allow}
        </button>
      </div>
    </form>
  );
}

/** A field that fits the kind of the value; anything with parts is written as JSON. */
function Field({
  id,
  original,
  text,
  onChange,
}: {
  readonly id: string;
  readonly original: unknown;
  readonly text: string;
  readonly onChange: (text: string) => void;
}): ReactNode {
  if (typeof original === "boolean") {
    return (
      <input
        id={id}
        type="checkbox"
        checked={text === "true"}
        onChange={(event) => onChange(String(event.target.checked))}
      />
    );
  }
  if (typeof original === "number" || (typeof original === "string" && !/\n/.test(original))) {
    return (
      <input
        id={id}
        className="valet-edit-field"
        type={typeof original === "number" ? "number" : "text"}
        step="any"
        required={typeof original === "number"}
        dir="auto"
        value={text}
        onChange={(event) => onChange(event.target.value)}
      />
    );
  }
  return (
    <textarea
      id={id}
      className="valet-edit-field"
      rows={Math.min(8, text.split("\n").length + 1)}
      dir="auto"
      value={text}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}

/** @throws SyntaxError for what is no JSON where JSON is meant. */
function toValue(text: string, original: unknown): unknown {
  if (typeof original === "string") return text;
  return typeof original === "number" ? Number(text) : JSON.parse(text);
}
