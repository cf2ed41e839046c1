import { type CreateFaulty, withFault } from "./faulty.ts";

/** Sessions with one fault each in views of transports, by its name. */
export const brokenTransports: Record<string, CreateFaulty> = {
  "sends broadcasts of a view to everyone": withFault((sessions) => {
    const { streams, info, subscriptions } = sessions;
    sessions.forTransport = () => ({ streams, info, subscriptions });
  }),
  "gives all views the same name": withFault((sessions) => {
    const forTransport = sessions.forTransport.bind(sessions);
    sessions.forTransport = (name) => forTransport(name && "transport");
  }),
  "drops broadcasts of a view while its client is away": withFault(
    (sessions) => {
      const forTransport = sessions.forTransport.bind(sessions);
      sessions.forTransport = (name) => {
        const view = forTransport(name);
        const send = view.streams.send.bind(view.streams);
        view.streams.send = async (ids, data) => {
          const isAway = sessions.stats().attached === 0;
          if (ids !== undefined || !isAway) await send(ids, data);
        };
        return view;
      };
    },
  ),
};
