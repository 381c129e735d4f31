/** Decides how to come by a Docker Engine. Pure. */

/**
 * @typedef {object} EngineFacts
 * @property {'answers' | 'absent' | 'refused' | 'forbidden'} state `refused`: something is there but does not answer
 * @property {string} problem why it does not answer, in words
 * @property {boolean} chosen DOCKER_HOST names this engine
 * @property {string} address
 * @property {boolean} isRoot
 * @property {boolean} isDebianLike
 * @property {boolean} hasDockerd
 * @property {boolean} hasSystemd
 * @property {string} user
 * @property {string} platform
 * @property {readonly string[]} tried what was tried before in this run, so that nothing is tried twice
 */

/**
 * @typedef {{ kind: 'use' }
 *   | { kind: 'start-service' }
 *   | { kind: 'start-dockerd' }
 *   | { kind: 'install' }
 *   | { kind: 'explain', what: string, why: string, next: string[] }} EnginePlan
 */

/**
 * @param {EngineFacts} facts
 * @returns {EnginePlan}
 */
export function planEngine(facts) {
  if (facts.state === 'answers') return { kind: 'use' };
  if (facts.chosen) {
    return {
      kind: 'explain',
      what: `The Docker Engine that DOCKER_HOST names (${facts.address}) does not answer.`,
      why: facts.problem,
      next: ['unset DOCKER_HOST', 'npm run up'],
    };
  }
  if (facts.state === 'forbidden') {
    return {
      kind: 'explain',
      what: `Docker is there, but ${facts.user} may not use it.`,
      why: `${facts.address} belongs to the group docker. Members of it can become root, so join only with your own user.`,
      next: [`sudo usermod -aG docker ${facts.user}`, 'newgrp docker', 'npm run up'],
    };
  }
  if (facts.platform !== 'linux') {
    return {
      kind: 'explain',
      what: 'No Docker Engine answers.',
      why: 'Portolan runs on Linux with Docker Engine.',
      next: ['docker info'],
    };
  }
  if (facts.hasDockerd) return planStart(facts);
  if (facts.isDebianLike && facts.isRoot && !facts.tried.includes('install')) return { kind: 'install' };
  return {
    kind: 'explain',
    what: 'Docker Engine is not installed.',
    why: facts.isDebianLike
      ? 'Installing it takes root.'
      : 'On this distribution, Docker describes the installation: https://docs.docker.com/engine/install/',
    next: facts.isDebianLike
      ? [
          'sudo apt-get update',
          'sudo apt-get install -y docker.io',
          `sudo usermod -aG docker ${facts.user}`,
          'newgrp docker',
          'npm run up',
        ]
      : ['curl -fsSL https://get.docker.com | sudo sh', 'npm run up'],
  };
}

/**
 * @param {EngineFacts} facts
 * @returns {EnginePlan}
 */
function planStart(facts) {
  if (!facts.isRoot) {
    return {
      kind: 'explain',
      what: 'Docker Engine is installed, but does not run.',
      why: facts.problem,
      next: [facts.hasSystemd ? 'sudo systemctl start docker' : 'sudo service docker start', 'npm run up'],
    };
  }
  if (facts.hasSystemd && !facts.tried.includes('start-service')) return { kind: 'start-service' };
  if (!facts.hasSystemd && !facts.tried.includes('start-dockerd')) return { kind: 'start-dockerd' };
  return {
    kind: 'explain',
    what: 'Docker Engine was started, but does not answer.',
    why: facts.problem,
    next: [facts.hasSystemd ? 'journalctl -u docker -n 50' : 'dockerd', 'npm run up'],
  };
}
