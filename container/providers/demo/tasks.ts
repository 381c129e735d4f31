/** Reminders and other tasks, through the tools. */
import { z } from 'zod';
import { taskViewSchema } from '../../../shared/protocol.ts';
import type { QueryInput } from '../provider.ts';
import * as answers from './answers.ts';

export class Tasks {
  readonly #input: QueryInput;

  constructor(input: QueryInput) {
    this.#input = input;
  }

  async remind(dueMs: number, text: string, from: string): Promise<string> {
    const { timezone } = this.#input.session;
    const asked = await this.#input.tools.call('create_task', { prompt: `Reminder for ${from}: ${text}`, at: dueMs });
    return asked.ok ? answers.formatReminderSet(dueMs, timezone, text) : `I could not: ${asked.text}`;
  }

  async repeat(cron: string, text: string, from: string): Promise<string> {
    const { timezone } = this.#input.session;
    const prompt = `Reminder for ${from}: ${text}`;
    const asked = await this.#input.tools.call('create_task', { prompt, cron, timezone });
    return asked.ok ? answers.formatRepeatSet(cron, timezone, text) : `I could not: ${asked.text}`;
  }

  async list(): Promise<string> {
    return answers.formatTasks(await this.#read(), this.#input.session.timezone);
  }

  /** `number` as `list` shows it. */
  async switch(action: 'pause' | 'resume' | 'cancel', number: number): Promise<string> {
    const task = (await this.#read())[number - 1];
    if (!task) return `There is no task ${number}. \`tasks\` shows all of them, with numbers.`;
    const done = await this.#input.tools.call(`${action}_task`, { task_id: task.id });
    if (!done.ok) return `I could not: ${done.text}`;
    return `Task ${number} is ${{ pause: 'paused', resume: 'running again', cancel: 'cancelled' }[action]}: ${answers.taskText(task)}`;
  }

  async #read() {
    const listed = await this.#input.tools.call('list_tasks', {});
    return listed.ok ? z.array(taskViewSchema).parse(listed.data) : [];
  }
}
