"use client";
import { useEffect, useLayoutEffect } from "react";

/**
 * `useLayoutEffect`, and on the server nothing: there is no layout, and React 18 warns of effects
 * that wait for it.
 */
export const useEarlyEffect: typeof useLayoutEffect =
  typeof document === "undefined" ? useEffect : useLayoutEffect;
