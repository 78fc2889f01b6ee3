// The words of the interface, short names for the generated types.
import type { components } from './schema'

type Schemas = components['schemas']
export type Me = Schemas['MeView']
export type Meta = Schemas['MetaView']
export type Run = Schemas['RunView']
export type RunDetail = Schemas['RunDetail']
export type Attempt = Schemas['AttemptView']
export type Wait = Schemas['WaitView']
export type OpenWait = Schemas['OpenWaitView']
export type WaitFrame = Schemas['WaitFrame']
export type RunEvent = Schemas['EventView']
export type Prompt = Schemas['PromptView']
export type Result = Schemas['ResultView']
export type Preview = Schemas['Preview']
export type LogPositions = Schemas['LogPositions']
export type Project = Schemas['ProjectView']
export type Repository = Schemas['RepositoryView']
export type Label = Schemas['LabelView']
export type Member = Schemas['MemberView']
export type Incident = Schemas['IncidentView']
export type IncidentDetail = Schemas['IncidentDetail']
export type Session = Schemas['SessionView']
export type AuditEntry = Schemas['AuditView']
export type Token = Schemas['TokenView']
export type System = Schemas['SystemView']
export type AllowedAction = Schemas['AllowedAction']

export type InboxItem = Schemas['InboxItemView']
export type Lineage = Schemas['LineageView']
export type LineageStage = Schemas['LineageStage']
export type LineageRun = Schemas['LineageRunView']
export type LineageStep = Schemas['LineageStep']
export type StepForm = Schemas['StepForm']
export type StepPreview = Schemas['StepPreview']
export type StepResult = Schemas['StepResult']
export type Approval = Schemas['ApprovalView']
export type ApprovalDetail = Schemas['ApprovalDetail']
export type CatalogueLabel = Schemas['CatalogueLabel']
export type User = Schemas['UserView']
export type Setting = Schemas['SettingView']

export interface Page<T> {
  items: T[]
  next_cursor: string | null
  as_of: string
}
