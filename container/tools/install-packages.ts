import { z } from 'zod';
import { aptPackageSchema, MAX_PACKAGES_PER_REQUEST, npmPackageSchema } from '../../shared/packages.ts';
import { askHost, describeSubmitted } from './ask-host.ts';
import { reasonField } from './reason.ts';
import type { Tool } from './tool.ts';

const input = z
  .object({
    apt: z
      .array(aptPackageSchema)
      .optional()
      .describe('Debian packages, as "cowsay", or with a version, as "curl=7.88.1-10+deb12u8"'),
    npm: z
      .array(npmPackageSchema)
      .optional()
      .describe('npm packages that bring programs, as "cowsay", or with a version, as "cowsay@1.6.0"'),
    reason: reasonField,
  })
  .refine(({ apt = [], npm = [] }) => apt.length + npm.length > 0, 'name at least one package in apt or npm')
  .refine(
    ({ apt = [], npm = [] }) => apt.length + npm.length <= MAX_PACKAGES_PER_REQUEST,
    `at most ${MAX_PACKAGES_PER_REQUEST} packages in one request`,
  );

export const installPackages: Tool<typeof input> = {
  name: 'install_packages',
  description: 'Ask an admin to add programs to your container; it starts anew with them once they agree.',
  input,
  async run({ apt = [], npm = [], reason }, context) {
    return describeSubmitted(await askHost({ action: 'install_packages', apt, npm, reason }, context));
  },
};
