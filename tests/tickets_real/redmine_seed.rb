# What a service desk's Redmine has set up before a desk is joined to it. Run once by `rails runner` on a copy of the
# package's database; writes the ids of everything as JSON to the file named by MADOGUCHI_IDS.
#
# The names are Japanese, as a Japanese desk has them: who looks an id up by an English name finds nothing here.

# By name => format; all of them are filters.
FROM_CALLS = {
  'call_id' => 'string', 'caller' => 'string', 'called' => 'string', 'group' => 'string', 'agent' => 'string',
  'outcome' => 'string', 'arrived_at' => 'string', 'wait_s' => 'int', 'talk_s' => 'int', 'hold_s' => 'int',
  'wrap_up_s' => 'int', 'recording' => 'link'
}.freeze
FROM_AGENTS = %w[escalated_at escalation_answered_at escalated_to reported_at technical exclusions]
              .to_h { |name| [name, 'string'] }.freeze

Setting.rest_api_enabled = '1'
Setting.login_required = '1'
Setting.default_language = 'ja'
# Nobody is written to: a mail that cannot be sent would cost each request its time.
Setting.notified_events = []

def status(name, closed)
  IssueStatus.find_or_create_by!(name: name) { |it| it.is_closed = closed }
end
open = status('受付', false)
working = status('対応中', false)
closed = status('完了', true)

IssuePriority.create!(name: '通常', is_default: true) if IssuePriority.none?
TimeEntryActivity.create!(name: '電話対応', is_default: true) if TimeEntryActivity.none?

tracker = Tracker.create!(name: '電話', default_status: open)
role = Role.create!(
  name: '電話連携', issues_visibility: 'all', assignable: true,
  permissions: %i[view_issues add_issues edit_issues add_issue_notes view_private_notes log_time view_time_entries]
)
[open, working, closed].permutation(2) do |from, to|
  WorkflowTransition.create!(tracker: tracker, role: role, old_status: from, new_status: to)
end
# A new ticket may begin in any of them.
[open, working, closed].each do |to|
  WorkflowTransition.create!(tracker: tracker, role: role, old_status_id: 0, new_status: to)
end

project = Project.new(name: 'サービスデスク', identifier: 'desk', is_public: false)
project.trackers = [tracker]
project.enabled_module_names = %w[issue_tracking time_tracking]
project.save!
# What nobody of the integration may see.
elsewhere = Project.new(name: '別の案件', identifier: 'elsewhere', is_public: false)
elsewhere.trackers = [tracker]
elsewhere.enabled_module_names = %w[issue_tracking]
elsewhere.save!

def user(login, **names)
  it = User.new(firstname: 'x', lastname: 'x', mail: "#{login}@example.invalid", language: 'ja', mail_notification: 'none')
  it.assign_attributes(names)
  it.login = login
  it.password = it.password_confirmation = "secret-of-#{login}"
  it.save!
  it
end
madoguchi = user('madoguchi', firstname: '窓口', lastname: '電話')
# Signs in, and is a member of nothing.
stranger = user('stranger', firstname: '他', lastname: '者')
Member.create!(project: project, principal: madoguchi, roles: [role])

fields = FROM_CALLS.merge(FROM_AGENTS).to_h do |name, format|
  field = IssueCustomField.new(name: name, field_format: format, is_for_all: true, is_filter: true)
  field.searchable = format == 'string'
  field.trackers = [tracker]
  field.save!
  [name, field.id]
end

ids = {
  api_key: madoguchi.api_key, stranger_key: stranger.api_key, user: madoguchi.id, stranger: stranger.id,
  project: project.identifier, project_id: project.id, elsewhere_id: elsewhere.id, tracker: tracker.id,
  priority: (IssuePriority.default || IssuePriority.active.first).id,
  activity: (TimeEntryActivity.default || TimeEntryActivity.active.first).id,
  open: open.id, working: working.id, closed: closed.id, fields: fields
}
File.write(ENV.fetch('MADOGUCHI_IDS'), JSON.generate(ids))
