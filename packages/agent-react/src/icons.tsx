import type { ReactNode } from "react";

function icon(path: string): () => ReactNode {
  return () => (
    <svg className="valet-icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

export const SendIcon: () => ReactNode = icon("M12 19V5M5 12l7-7 7 7");
export const StopIcon: () => ReactNode = icon("M7 7h10v10H7z");
export const CloseIcon: () => ReactNode = icon("M6 6l12 12M18 6L6 18");
export const NewIcon: () => ReactNode = icon("M12 5v14M5 12h14");
export const HistoryIcon: () => ReactNode = icon("M3 12a9 9 0 1 0 3-6.7L3 8M3 3v5h5M12 7v5l3 2");
export const SearchIcon: () => ReactNode = icon("M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM20 20l-4-4");
export const ToolIcon: () => ReactNode = icon("M4 20l7-7M14 4l6 6-4 4-6-6z");
export const CopyIcon: () => ReactNode = icon("M9 9h11v11H9zM5 15H4V4h11v1");
export const CheckIcon: () => ReactNode = icon("M5 12l5 5L20 7");
export const RetryIcon: () => ReactNode = icon("M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6");
export const DownIcon: () => ReactNode = icon("M12 5v14M5 12l7 7 7-7");
export const BookIcon: () => ReactNode = icon(
  "M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h11",
);
export const TrashIcon: () => ReactNode = icon("M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13");
export const UpVoteIcon: () => ReactNode = icon(
  "M7 11v9H4v-9zM7 12l4-8a2 2 0 0 1 3 2l-1 4h6a2 2 0 0 1 2 2l-2 7H7",
);
export const DownVoteIcon: () => ReactNode = icon(
  "M7 13V4H4v9zM7 12l4 8a2 2 0 0 0 3-2l-1-4h6a2 2 0 0 0 2-2l-2-7H7",
);
export const EditIcon: () => ReactNode = icon("M4 20h4L19 9l-4-4L4 16zM13 7l4 4");
export const AlertIcon: () => ReactNode = icon("M12 3l10 17H2zM12 10v4M12 17v.5");
export const ClockIcon: () => ReactNode = icon("M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 7v5l3 2");
export const LockIcon: () => ReactNode = icon("M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3");
export const OfflineIcon: () => ReactNode = icon(
  "M3 3l18 18M5 12a10 10 0 0 1 5-2.7M19 12a10 10 0 0 0-4-2.4M8.5 15.5a5 5 0 0 1 7 0M12 19v.5",
);
export const DownloadIcon: () => ReactNode = icon("M12 4v11M7 10l5 5 5-5M5 20h14");
export const ChatIcon: () => ReactNode = icon("M4 5h16v11H10l-5 4v-4H4z");
