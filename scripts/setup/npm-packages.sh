# node_modules as package-lock.json has it. npm runs on the machine's own Node, whichever that is: old versions of npm do
# not know Node 24. Install scripts do not run; the two packages with native code are built by the steps after this one.

npm_packages_missing() {
  step_title='npm packages'
  ! "$current/node/bin/node" scripts/setup/npm-packages-current.ts
}

npm_packages_install() {
  run_logged npm-ci npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
}
