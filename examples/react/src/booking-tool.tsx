import { type AgentTool, createToolHelper } from "@valet/agent-react";
import { useState } from "react";

const tool = createToolHelper();

/**
 * A tool that runs in the page and is drawn by the page: the form is the approval, and what was
 * booked stands in the place of the usual card. A real model calls it; the embedded one only quotes.
 */
export function bookingTool(book: (day: string) => void): AgentTool {
  return tool({
    name: "book_visit",
    displayName: "Book a visit",
    description: "Books a visit on a day. Say nothing about it afterwards: the page shows it.",
    parameters: {
      type: "object",
      properties: { day: { type: "string", description: "A day of the week, or a date." } },
      required: ["day"],
      additionalProperties: false,
    },
    needsApproval: true,
    execute: ({ day }) => {
      book(String(day));
      return { booked: true };
    },
    render: ({ status, args, onApprove, onReject }) => {
      const { day = "" } = (args ?? {}) as { day?: string };
      if (status === "approval_requested") {
        return <BookingForm day={day} onConfirm={onApprove} onCancel={onReject} />;
      }
      if (status === "completed") return <p className="booked">Booked for {day}.</p>;
      // Every other state looks as it does by default.
      return null;
    },
  });
}

function BookingForm({
  day,
  onConfirm,
  onCancel,
}: {
  readonly day: string;
  readonly onConfirm: () => void;
  readonly onCancel: () => void;
}) {
  const [isSure, setIsSure] = useState(false);
  return (
    <form
      className="booking"
      onSubmit={(event) => {
        event.preventDefault();
        onConfirm();
      }}
    >
      <p>
        A visit on <strong>{day}</strong>
      </p>
      <label>
        <input
          type="checkbox"
          checked={isSure}
          onChange={(event) => setIsSure(event.target.checked)}
        />{" "}
        That day suits me
      </label>
      <p>
        <button type="submit" disabled={!isSure}>
          Book
        </button>{" "}
        <button type="button" onClick={onCancel}>
          Not now
        </button>
      </p>
    </form>
  );
}
