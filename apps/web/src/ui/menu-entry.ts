import type { ReactNode } from 'react';

/** One command of a menu. */
export interface MenuEntry {
  id: string;
  title: string;
  icon?: ReactNode;
  hint?: string;
  danger?: boolean;
  disabled?: boolean;
  /** A line above this entry. */
  apart?: boolean;
  run: () => void;
}
