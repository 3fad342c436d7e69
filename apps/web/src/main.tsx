import './app.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError, goToLogin } from './api/http.ts';
import { connectLive } from './live/connect.ts';
import { LiveProvider } from './live/live-context.ts';
import { makeRouter } from './router.tsx';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What the browser takes for offline may still reach the server: whoever asks hears from the request itself.
      networkMode: 'always',
      refetchOnReconnect: true,
      // A refusal does not become a success by asking again; a lost connection may.
      retry: (count, error) =>
        count < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
      staleTime: 5000,
    },
    // A press is done now or refused now, never kept and done when nobody expects it any more.
    mutations: { networkMode: 'always' },
  },
});
const router = makeRouter(queries);
const live = connectLive(goToLogin);

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <LiveProvider value={live}>
        <RouterProvider router={router} />
      </LiveProvider>
    </QueryClientProvider>
  </StrictMode>,
);

if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  navigator.serviceWorker.register('/sw.js').catch(() => undefined);
}
