# The service as one image: no compiler, no test tool, no root, and nothing that it needs to write.
FROM node:24-bookworm-slim AS build
WORKDIR /placet
COPY package.json package-lock.json .npmrc ./
# The packages of the embedded Postgres and of the pinned Node stay away: this image has its own Node, and DATABASE_URL.
RUN npm ci --ignore-scripts --omit=optional
COPY . .
RUN npx nest build server && npm prune --omit=dev --omit=optional --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production PLACET_HOST=0.0.0.0
WORKDIR /placet
COPY --from=build /placet/package.json ./
COPY --from=build /placet/node_modules ./node_modules
COPY --from=build /placet/dist ./dist
COPY --from=build /placet/examples/quickstart ./examples/quickstart
USER node
EXPOSE 8360
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:8360/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/apps/server/src/main.js"]
