"use client";
import { useContext } from "react";
import { AgentContext } from "./agent-context.ts";
import { createLabels, english, type Labels } from "./translation.ts";

const englishLabels = createLabels(english);

/** The texts in the provider's language; in English for a component that stands by itself. */
export function useLabels(): Labels {
  return useContext(AgentContext)?.labels ?? englishLabels;
}
